// Links over `connectPersistent({ session })`: one link outlives any number of sockets, and ends with its session.

import { closeInfo, type CloseInfo } from "../connection/close-info.js";
import type { Message } from "../connection/reading/inbox.js";
import type { SessionLostEvent } from "../connection/session-state.js";
import type { ConnectorOptions } from "../reconnect/connector.js";
import type { PersistentConnection } from "../reconnect/persistent/persistent-connection.js";
import type { SessionOptions } from "../reconnect/persistent/persistent-options.js";
import type { AnyPersistentOptions } from "../reconnect/persistent/set-up.js";
import { PERSIST_OPTIONS, type PersistOptions } from "../reconnect/retry/persist-options.js";
import { sessionLostError } from "../session/explain-loss.js";
import type { CloseFrame } from "../shared/close-code.js";
import { HandshakeError } from "../shared/errors.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { connectOptions, type PlatformPort } from "./connection-link.js";
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

/** Options of a resumable WebSocket, in addition to those of its connections. */
export interface ResumeOptions extends Omit<PersistOptions, "signal"> {
  /** The options of the session (docs/sessions.md). */
  readonly session?: Omit<SessionOptions, "keep"> | undefined;
  /** Milliseconds that the server may take to answer a probe. @default 5000 */
  readonly probeTimeout?: number | undefined;
}

const { signal: _signal, ...PERSIST_NAMES } = PERSIST_OPTIONS; // close() ends it.

const RESUME_OPTIONS: OptionNames<ResumeOptions> = { ...PERSIST_NAMES, session: true, probeTimeout: true };

type OpenPersistent<Options extends ConnectorOptions> = (
  url: string,
  options: AnyPersistentOptions<Options>,
) => PersistentConnection;

/** Opens connections with a session. */
export class SessionOpener<Options extends ConnectorOptions> implements LinkOpener<Options & ResumeOptions> {
  readonly platform: PlatformPort<Options>;

  readonly #openPersistent: OpenPersistent<Options>;

  constructor(port: PlatformPort<Options>, openPersistent: OpenPersistent<Options>) {
    this.platform = port;
    this.#openPersistent = openPersistent;
  }

  open(request: LinkRequest<Options & ResumeOptions>, handler: LinkHandler): void {
    const { url, signal, options } = request;
    const { optionNames, advice } = this.platform;
    checkOptionNames("`holdfast`", options, { ...optionNames, ...RESUME_OPTIONS }, advice);
    const own = connectOptions(this.platform, request);
    const { retryable } = options;
    const persistent: PersistentConnection = this.#openPersistent(url, {
      ...own,
      session: options.session ?? true,
      // `maxBufferedAmount` bounds the queue: a message that the queue rejected would be missing silently.
      queue: null,
      // The standard reports an attempt that fails. Only a session is worth another one.
      retryable: (error, byDefault) => link.hasOpened && (retryable?.(error, byDefault) ?? byDefault),
    });
    const link: ResumableLink = new ResumableLink(persistent, handler, this.platform);
    signal.addEventListener("abort", () => {
      if (!link.hasOpened) persistent.terminate();
    });
  }
}

class ResumableLink implements Link {
  readonly extensions = "";
  subprotocol = "";
  hasOpened = false;
  readonly #persistent: PersistentConnection;
  readonly #handler: LinkHandler;
  readonly #platform: LinkPlatform;
  readonly #account: PayloadAccount;
  /** Bytes of messages that the end of the session kept from being sent. */
  #rejected = 0;
  #hasEnded = false;
  /** The session survived the end of its newest socket. */
  #isDetached = false;
  /** Why this side ended the link; null if it did not. */
  #error: Error | null = null;

  constructor(persistent: PersistentConnection, handler: LinkHandler, platform: LinkPlatform) {
    this.#persistent = persistent;
    this.#handler = handler;
    this.#platform = platform;
    this.#account = new PayloadAccount({
      get bufferedAmount() {
        const { queued, connection } = persistent;
        return queued.bytes + (connection?.bufferedAmount ?? 0);
      },
    });
    persistent.on("open", () => this.#onOpen());
    persistent.on("detached", () => (this.#isDetached = true));
    persistent.on("lost", (event) => this.#onLost(event));
    persistent.on("disconnected", () => this.#onDisconnected());
    void persistent.closed.then((info) => {
      // Otherwise the reader reports the end, after the last message.
      if (!this.hasOpened) this.#end(info);
    });
  }

  get latency(): number | null {
    return this.#persistent.latency;
  }

  get unsentPayload(): number {
    return this.#rejected + this.#account.unsent;
  }

  get isOpen(): boolean {
    const { state } = this.#persistent.status;
    return !this.#hasEnded && state !== "closing" && state !== "closed";
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    const size = sizeOf(data, this.#platform);
    // The end of the session is reported by itself.
    this.#account.count(size, () => void this.#persistent.send(data).catch(() => (this.#rejected += size)));
  }

  close({ code, reason }: CloseFrame): void {
    void this.#persistent.close(code === 1005 ? 1000 : code, reason);
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#persistent.terminate();
  }

  read(onMessage: (message: Message) => Promise<void> | undefined): void {
    const reading = this.#persistent.forEach((message) => (this.#hasEnded ? undefined : onMessage(message)));
    void reading.then((info) => this.#end(info));
  }

  #onOpen(): void {
    this.#isDetached = false;
    if (this.#hasEnded || this.hasOpened) return;
    if (this.#persistent.session === null) {
      this.fail(noSessionError());
      return;
    }
    this.hasOpened = true;
    this.subprotocol = this.#persistent.connection?.subprotocol ?? "";
    this.#handler.onOpen(this);
  }

  /** A new session would begin: a protocol with its own handshake would break silently. */
  #onLost({ reason, unsent, unknown }: SessionLostEvent): void {
    if (!this.hasOpened || this.#error !== null) return;
    if (this.#persistent.connection === null) return; // The peer closed the session, with messages on their way.
    this.#error = sessionLostError(reason, { unsent, unknown });
    void this.#persistent.close().then((info) => this.#end(info));
  }

  /** The peer ended the session with its socket. */
  #onDisconnected(): void {
    if (this.hasOpened && !this.#isDetached && this.#persistent.session === null)
      this.#persistent.terminate();
  }

  #end(info: CloseInfo): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const error = this.#error;
    // Until then, the messages that were not sent have been rejected.
    inNextTask(() => this.#handler.onEnd(error === null ? info : failedInfo(info, error)));
  }
}

/** The end of a link that this side failed: no Close counts. */
function failedInfo({ evidence }: CloseInfo, error: Error): CloseInfo {
  return closeInfo({ cause: "aborted", error, received: null, sent: null, receivedFirst: false, evidence });
}

function noSessionError(): HandshakeError {
  return new HandshakeError(
    "Expected a server with sessions, got one without: the connection could not be resumed. Set `sessions` at the server, or use `WebSocket`.",
    { failure: "rejected", code: "ERR_HOLDFAST_NO_SESSION" },
  );
}
