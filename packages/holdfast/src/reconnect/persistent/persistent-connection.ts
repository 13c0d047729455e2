// `PersistentConnection`, the public facade: checks arguments. Its core is persistent-core.ts.

import { checkClose, toBytes, type Bytes } from "../../connection/arguments.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { CallOptions, Connection, ReceiveOptions, SendOptions } from "../../connection/connection.js";
import {
  CALL_OPTIONS,
  checkSendOptions,
  checkWaitOptions,
  SEND_OPTIONS,
} from "../../connection/call-options.js";
import { InvalidStateError } from "../../shared/errors.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";
import { describeObject, showInInspector } from "../../connection/inspection.js";
import type { Message } from "../../connection/reading/inbox.js";
import { READ_INSTEAD } from "../../connection/listeners.js";
import {
  checkDuration,
  checkFunction,
  checkSignal,
  invalidArgument,
  requireChoice,
} from "../../shared/option-checks.js";
import type { ConnectionSession } from "../../connection/session-state.js";
import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import type { Lifecycle } from "./lifecycle.js";
import type { PersistentControls } from "./persistent-controls.js";
import type { MessageSettings } from "./sender.js";
import type { PersistentParts } from "./set-up.js";
import {
  PERSISTENT_EVENT_NAMES,
  type PersistentEventName,
  type PersistentListener,
  type PersistentStatus,
} from "./status.js";
import { showURL } from "../../shared/show-url.js";

/** For `PersistentConnection.send()`. */
export interface PersistentSendOptions extends SendOptions {
  /** Milliseconds that the message may wait to be sent; null for no limit. @default the option of the same name */
  readonly timeToLive?: number | null | undefined;
}

const PERSISTENT_SEND_OPTIONS: OptionNames<PersistentSendOptions> = { ...SEND_OPTIONS, timeToLive: true };

/** Makes a persistent connection. */
export function createPersistent(parts: PersistentParts, core: PersistentControls): PersistentConnection {
  return create(PersistentConnection, parts, core);
}

/** Keeps the internal parts out of the public declarations. */
// It takes the class: nothing else may refer to it, and a bundler would leave it out.
let create: (
  Class: typeof PersistentConnection,
  parts: PersistentParts,
  core: PersistentControls,
) => PersistentConnection;

/**
 * A connection that reconnects, created by `connectPersistent()`: one stable object across any number of connections.
 * Messages sent while disconnected wait for the next connection. Received messages of all connections form one stream.
 */
export class PersistentConnection implements AsyncIterable<Message>, AsyncDisposable {
  static {
    create = (Class, parts, core) => new Class(parts, core);
    showInInspector(this, ({ connection, status, queued, latency }) => {
      const url = connection === null ? undefined : showURL(connection.url);
      return describeObject("PersistentConnection", { state: status.state, url, queued, latency });
    });
  }

  readonly #core: PersistentControls;
  readonly #lifecycle: Lifecycle;
  readonly #parts: PersistentParts;

  /** Only for the library: applications call `connectPersistent()`. */
  private constructor(parts: PersistentParts, core: PersistentControls) {
    this.#core = core;
    this.#lifecycle = parts.lifecycle;
    this.#parts = parts;
  }

  /** The current status; `on("status", …)` reports changes. A frozen snapshot, the same object until it changes. */
  get status(): PersistentStatus {
    return this.#lifecycle.status;
  }

  /**
   * The current connection, from before `onOpen` to its end; null otherwise. Use it for details and pings. Messages
   * sent on it bypass the queue. Its received messages arrive here once `onOpen` has settled.
   */
  get connection(): Connection | null {
    return this.#core.connection;
  }

  /**
   * The session; null without the option `session`, and as long as the server has not given one. A snapshot. While messages
   * of a session that has ended are read, it is that one.
   */
  get session(): ConnectionSession | null {
    return this.#core.sessionState;
  }

  /** Round-trip time of the newest answered ping of the current connection, in milliseconds; null if there is none. */
  get latency(): number | null {
    return this.#core.connection?.latency ?? null;
  }

  /** Statistics of the round-trip times of all connections, in milliseconds. A snapshot. */
  get latencyStats(): LatencyStats {
    return this.#core.latencyStats;
  }

  /** The messages that wait for a connection, or for room in the current one. Strings count their characters. */
  get queued(): { readonly messages: number; readonly bytes: number } {
    return this.#parts.sender.queued;
  }

  /** Resolves after the final end, with the `CloseInfo` of the last attempt or its connection. Never rejects. */
  get closed(): Promise<CloseInfo> {
    this.#core.expectEnd();
    return this.#lifecycle.closed;
  }

  /** Aborts after the final end; its reason is the error that explains it. */
  get signal(): AbortSignal {
    return this.#lifecycle.signal;
  }

  /**
   * Sends a message: a string or `TextBytes` as text, other bytes as binary. Messages are sent in the order of the
   * calls, now or once there is a connection. Bytes that have to wait are copied.
   *
   * Resolves once an open socket has the message and has room for more (`writeLimit`). This does not mean that the peer
   * received it: with a session, `until: "delivered"` resolves once the peer has confirmed it.
   *
   * @throws NotSentError; its `outcome` says whether the message can be sent again without the peer receiving it twice
   * @throws InvalidArgumentError for anything but a string or bytes
   */
  send(data: string | Bytes, options?: PersistentSendOptions): Promise<void> {
    try {
      if (typeof data !== "string" && toBytes(data) === null) {
        throw invalidArgument(
          "data",
          "a string or bytes (an iterable can be sent on `connection` only)",
          data,
        );
      }
      return this.#core.send(data, this.#settingsOf(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits for the next message from any of its connections. Only one reader at a time.
   *
   * @throws the error that explains the final end: ConnectionClosed, or the error that ended retrying
   * @throws ConcurrencyError while another `recv`, iteration or `forEach` waits
   * @throws TooSlowError after `timeout`; no message is lost
   */
  recv(options?: ReceiveOptions): Promise<Message> {
    try {
      return this.#core.recv(checkWaitOptions("recv()", options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Calls `callback` with each message, in order, and awaits its result before the next one. Resolves after the final
   * end, with its `CloseInfo`, whatever the cause.
   *
   * @throws the error that `callback` throws, or the signal's reason; the connection stays open
   * @throws ConcurrencyError while another `recv`, iteration or `forEach` waits
   */
  forEach(callback: (message: Message) => unknown, options?: CallOptions): Promise<CloseInfo> {
    try {
      checkFunction("callback", callback);
      checkOptionNames("forEach()", options, CALL_OPTIONS);
      return this.#core.forEach(callback, checkSignal(options?.signal));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Iterates over the messages of all connections. The loop ends when this side closes, and throws the error that ended
   * retrying. Leaving the loop does not close the connection: call `close()`.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return this.#core.iterate();
  }

  /**
   * Discards all messages: those that are queued, and those of all later connections. Unread messages then never pause
   * reading. Further calls have no effect. Afterwards `recv`, iteration and `forEach` reject with InvalidStateError.
   *
   * @throws ConcurrencyError while a `recv`, iteration or `forEach` reads
   */
  discard(): void {
    this.#core.discard();
  }

  /**
   * Checks the connection now. Call it when the network has changed or returned, or when the user has returned. During
   * a delay the next attempt starts at once, even if the server requested the delay. An open connection is pinged, and
   * replaced at once if it does not answer within `probeTimeout`. An attempt that has already taken longer than that is
   * restarted. Browsers call it automatically, except during a delay that the server requested.
   */
  probe(): void {
    this.#core.probe();
  }

  /**
   * Ends the persistent connection. An open connection gets a closing handshake, after all messages sent before; an
   * attempt or a delay ends at once. Messages that wait without a connection reject as unsent.
   *
   * @param code 1000–1003, 1007–1014 or 3000–4999. @default 1000
   * @param reason at most 123 bytes of UTF-8. @default ""
   * @throws InvalidArgumentError for any other code or a longer reason; nothing changes
   */
  close(code = 1000, reason = ""): Promise<CloseInfo> {
    try {
      this.#core.close(checkClose(code, reason));
      return this.closed;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends the persistent connection at once, without a Close. Never throws. */
  terminate(): void {
    this.#core.terminate();
  }

  /**
   * Adds a listener; returns an unsubscribe function.
   *
   * @throws InvalidArgumentError for an unknown event
   */
  on<Name extends PersistentEventName>(event: Name, listener: PersistentListener<Name>): () => void {
    requireChoice("event", event, PERSISTENT_EVENT_NAMES, READ_INSTEAD);
    checkFunction("listener", listener);
    return this.#lifecycle.listeners.add(event, listener);
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #settingsOf(options: PersistentSendOptions = {}): MessageSettings {
    const { mayEncode, signal, until = "sent" } = checkSendOptions(options, PERSISTENT_SEND_OPTIONS);
    const { session, sending } = this.#parts.settings;
    if (until === "delivered" && session === null) throw new InvalidStateError(NO_SESSION);
    return {
      mayEncode,
      signal,
      until,
      timeToLive: checkDuration("timeToLive", options.timeToLive, sending.timeToLive),
    };
  }
}

const NO_SESSION =
  'Expected a persistent connection with the option `session` for `until: "delivered"`, got one without. Set `session: true`.';
