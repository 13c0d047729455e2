// Links over `connect()`.

import { coreOf, type Connection } from "../connection/connection.js";
import type { ConnectionSettings } from "../connection/options.js";
import type { Message } from "../connection/inbox.js";
import { SENT } from "../connection/sent.js";
import type { Connector, ConnectorOptions } from "../reconnect/connector.js";
import { abortedError, neverOpenedInfo, openingError } from "../reconnect/opening-failure.js";
import type { CloseFrame } from "../shared/close-code.js";
import { ignore } from "../shared/deferred.js";
import { checkOptionNames, type OptionAdvice } from "../shared/option-names.js";
import { errorOf } from "../shared/thrown.js";
import type { Link, LinkHandler, LinkOpener, LinkPlatform, LinkRequest } from "./link.js";
import { inNextTask } from "./next-task.js";

/** Provides the platform's part; each entry point has one. */
export interface PlatformPort<Options extends ConnectorOptions> extends LinkPlatform {
  readonly connector: () => Connector<Options>;
  readonly optionNames: Readonly<Record<string, true>>;
  readonly advice: OptionAdvice;
  /** Settings that the standard prescribes on this platform. */
  readonly defaults: Partial<Options>;
}

/** The standard has no limit. This is the default of `ws`, far above what a page would hold in memory at once. */
const MAX_MESSAGE_SIZE = 100 * 1024 * 1024;

/** The options of `connect()` for a request of the standard's classes. */
export function connectOptions<Options extends ConnectorOptions>(
  { defaults }: PlatformPort<Options>,
  { protocols, options }: Pick<LinkRequest<Options>, "options" | "protocols">,
): Options {
  return {
    maxMessageSize: MAX_MESSAGE_SIZE,
    ...defaults,
    ...options,
    subprotocols: protocols,
    requireSubprotocol: protocols.length > 0,
  };
}

/** Opens connections without a session. */
export class ConnectionOpener<Options extends ConnectorOptions> implements LinkOpener<Options> {
  readonly platform: PlatformPort<Options>;

  constructor(port: PlatformPort<Options>) {
    this.platform = port;
  }

  open(request: LinkRequest<Options>, handler: LinkHandler): void {
    const { url, signal } = request;
    const { optionNames, advice } = this.platform;
    checkOptionNames("`holdfast`", request.options, optionNames, advice);
    const options = { ...connectOptions(this.platform, request), signal };
    const connector = this.platform.connector();
    const settings = connector.checkOptions(options);
    const failed = (thrown: unknown): void => this.#onFailed(request, settings, thrown, handler);
    connector.open(url, options, null).then((connection) => {
      if (!signal.aborted) {
        handler.onOpen(new ConnectionLink(connection, handler));
        return;
      }
      connection.terminate();
      failed(signal.reason);
    }, failed);
  }

  #onFailed(
    { url, signal }: LinkRequest<Options>,
    settings: ConnectionSettings,
    thrown: unknown,
    handler: LinkHandler,
  ): void {
    const error = signal.aborted ? abortedError(url, thrown) : openingError(thrown);
    const info = neverOpenedInfo(error, settings, this.platform.connector().runtime.clock.wallNow());
    inNextTask(() => handler.onEnd(info));
  }
}

class ConnectionLink implements Link {
  readonly subprotocol: string;
  readonly extensions: string;
  readonly #connection: Connection;
  readonly #handler: LinkHandler;

  constructor(connection: Connection, handler: LinkHandler) {
    this.#connection = connection;
    this.#handler = handler;
    this.subprotocol = connection.subprotocol ?? "";
    this.extensions = connection.extensions.join(", ");
    coreOf(connection).failsAtOnce = true;
  }

  get latency(): number | null {
    return this.#connection.latency;
  }

  get bufferedAmount(): number {
    return this.#connection.bufferedAmount;
  }

  get isOpen(): boolean {
    return this.#connection.state === "open";
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    const sent = this.#connection.send(data);
    if (sent !== SENT) sent.catch(ignore); // The end of the connection is reported by itself.
  }

  close(close: CloseFrame): void {
    coreOf(this.#connection).closeWithCause("local-close", close);
  }

  fail(error: Error): void {
    coreOf(this.#connection).terminate("aborted", error);
  }

  read(onMessage: (message: Message) => Promise<void> | undefined): void {
    const connection = this.#connection;
    connection.forEach(onMessage).then(
      (info) => this.#handler.onEnd(info),
      (thrown: unknown) => {
        // Only memory that ran out brings us here: listeners' errors are reported by the platform.
        this.fail(errorOf(thrown));
        void connection.closed.then((info) => this.#handler.onEnd(info));
      },
    );
  }
}
