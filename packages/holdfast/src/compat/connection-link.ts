// Links over `connect()`.

import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import type { ConnectionCore } from "../connection/connection-core.js";
import type { CloseInfo } from "../connection/close-info.js";
import type { ConnectionSettings } from "../connection/options.js";
import type { Message } from "../connection/reading/inbox.js";
import type { SendSettings } from "../connection/message-transport.js";
import type { Connector, ConnectorOptions } from "../reconnect/connector.js";
import { abortedError, neverOpenedInfo, openingError } from "../reconnect/opening-failure.js";
import type { CloseFrame } from "../shared/close-code.js";
import type { HoldfastError } from "../shared/errors.js";
import { checkOptionNames, type OptionAdvice } from "../shared/option-names.js";
import { errorOf } from "../shared/thrown.js";
import {
  sizeOf,
  type Link,
  type LinkHandler,
  type LinkOpener,
  type LinkPlatform,
  type LinkRequest,
} from "./link.js";
import { inNextTask } from "./next-task.js";
import { PayloadAccount } from "./payload-account.js";

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

/** How an attempt ended that opened no connection. */
export function failedOpening<Options extends ConnectorOptions>(
  { connector }: PlatformPort<Options>,
  settings: ConnectionSettings,
  error: HoldfastError,
): CloseInfo {
  return neverOpenedInfo(error, settings, connector().runtime.clock.wallNow());
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
        handler.onOpen(new ConnectionLink(connection, handler, this.platform));
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
    const info = failedOpening(this.platform, settings, error);
    inNextTask(() => handler.onEnd(info));
  }
}

class ConnectionLink implements Link {
  readonly subprotocol: string;
  readonly extensions: string;
  readonly #connection: Connection;
  readonly #core: ConnectionCore;
  readonly #handler: LinkHandler;
  readonly #platform: LinkPlatform;
  /** Null if the transport counts. */
  readonly #account: PayloadAccount | null;

  constructor(connection: Connection, handler: LinkHandler, platform: LinkPlatform) {
    this.#connection = connection;
    this.#core = coreOf(connection);
    this.#handler = handler;
    this.#platform = platform;
    this.#account = this.#core.transport.unsentPayload === undefined ? new PayloadAccount(connection) : null;
    this.subprotocol = connection.subprotocol ?? "";
    this.extensions = connection.extensions.join(", ");
    this.#core.failsAtOnce = true;
  }

  get latency(): number | null {
    return this.#connection.latency;
  }

  get unsentPayload(): number {
    return this.#account?.unsent ?? this.#core.transport.unsentPayload ?? 0;
  }

  get isOpen(): boolean {
    return this.#core.isSendable;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.#account === null) this.#send(data);
    else this.#account.count(sizeOf(data, this.#platform), () => this.#send(data));
  }

  close(close: CloseFrame): void {
    this.#core.closeWithCause("local-close", close);
  }

  fail(error: Error): void {
    this.#core.terminate("aborted", error);
  }

  read(onMessage: (message: Message) => Promise<void> | undefined): void {
    const connection = this.#connection;
    connection.forEach(onMessage).then(
      (info) => this.#handler.onEnd(info),
      (thrown: unknown) => {
        // Only after running out of memory: the platform reports the errors of listeners.
        this.fail(errorOf(thrown));
        void connection.closed.then((info) => this.#handler.onEnd(info));
      },
    );
  }

  #send(data: string | Uint8Array<ArrayBuffer>): void {
    void this.#core.sendTyped(data, typeof data === "string", SETTINGS);
  }
}

const SETTINGS: SendSettings = { mayEncode: true, signal: null, receipt: null };
