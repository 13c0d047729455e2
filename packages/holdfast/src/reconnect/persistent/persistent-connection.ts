// The face of a persistent connection: what applications hold. The works stand in persistent-link.ts.

import { checkClose, toBytes, type Bytes } from "../../connection/arguments.js";
import type { CloseInfo } from "../../connection/close-info.js";
import {
  CALL_OPTIONS,
  checkSendOptions,
  RECEIVE_OPTIONS,
  SEND_OPTIONS,
  type CallOptions,
  type Connection,
  type ReceiveOptions,
  type SendOptions,
} from "../../connection/connection.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";
import { describeObject, showInInspector } from "../../connection/inspection.js";
import type { Message } from "../../connection/inbox.js";
import { MessageIterator } from "../../connection/message-iterator.js";
import {
  checkDuration,
  checkFunction,
  checkSignal,
  invalidArgument,
  requireChoice,
} from "../../shared/option-checks.js";
import { consumeAll, receiveOne } from "../../connection/readers.js";
import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import type { Connector, ConnectorOptions } from "../connector.js";
import { checkPersistOptions, type PersistOptions } from "../retry/persist-options.js";
import { Supervisor } from "../supervisor.js";
import { fixTarget, type ValueOrFactory, type PerAttemptOptions } from "../target.js";
import { checkPersistentOptions, type PersistentOptions } from "./persistent-options.js";
import { PersistentLink } from "./persistent-link.js";
import type { MessageSettings } from "./sender.js";
import {
  PERSISTENT_EVENT_NAMES,
  type PersistentEventName,
  type PersistentListener,
  type PersistentStatus,
} from "./status.js";
import { showURL } from "../../shared/show-url.js";

/** For `PersistentConnection.send()`. */
export interface PersistentSendOptions extends SendOptions {
  /** Milliseconds that the message may wait to be sent; null for as long as it takes. @default the option of the same name */
  readonly timeToLive?: number | null | undefined;
}

const PERSISTENT_SEND_OPTIONS: OptionNames<PersistentSendOptions> = { ...SEND_OPTIONS, timeToLive: true };

/**
 * Connects, and stays connected.
 * @throws InvalidArgumentError for an option that cannot be used
 */
export function openPersistent<Options extends ConnectorOptions>(
  connector: Connector<Options>,
  url: ValueOrFactory<string | URL>,
  options: PerAttemptOptions<Options> & PersistentOptions & PersistOptions,
): PersistentConnection {
  const { target, settings } = fixTarget(connector, url, options);
  const { platform } = connector.runtime;
  const persist = checkPersistOptions(options, platform);
  const persistent = checkPersistentOptions(options, platform);
  const link = new PersistentLink({
    runtime: connector.runtime,
    connectionSettings: settings,
    settings: persistent,
    supervisor: (host) => new Supervisor({ target, settings, persist }, host),
    watchReturns: connector.watchReturns,
    signal: persist.signal,
  });
  link.start();
  // The constructor is private so that the declarations which ship do not name its parameters.
  const Constructor = PersistentConnection as unknown as new (
    link: PersistentLink,
    timeToLive: number | null,
  ) => PersistentConnection;
  return new Constructor(link, persistent.sending.timeToLive);
}

/**
 * A connection that comes back, made by `connectPersistent()`: one object for as long as the application needs it,
 * whatever becomes of the connections under it. What is sent while there is none waits for the next one; messages
 * come in one stream.
 */
export class PersistentConnection implements AsyncIterable<Message>, AsyncDisposable {
  readonly #link: PersistentLink;
  readonly #timeToLive: number | null;

  static {
    showInInspector(this, ({ connection, status, queued, latency }) => {
      const url = connection === null ? undefined : showURL(connection.url);
      return describeObject("PersistentConnection", { state: status.state, url, queued, latency });
    });
  }

  private constructor(link: PersistentLink, timeToLive: number | null) {
    this.#link = link;
    this.#timeToLive = timeToLive;
  }

  /** The state of affairs; `on("status", …)` tells of changes. A frozen snapshot, the same object until it changes. */
  get status(): PersistentStatus {
    return this.#link.status;
  }

  /**
   * The connection of the moment, from before `onOpen` to its end; null otherwise. For details and pings: what is sent
   * on it goes past the queue, and its messages come here once `onOpen` is through.
   */
  get connection(): Connection | null {
    return this.#link.connection;
  }

  /** Milliseconds that the newest answered ping of this connection took; null where there is none. */
  get latency(): number | null {
    return this.#link.connection?.latency ?? null;
  }

  /** Statistics of the round-trip times of all connections, in milliseconds. A snapshot. */
  get latencyStats(): LatencyStats {
    return this.#link.latencyStats;
  }

  /** What waits to be sent: for a connection, or for room in the one there is. A string counts its characters. */
  get queued(): { readonly messages: number; readonly bytes: number } {
    return this.#link.sender.queued;
  }

  /** How it ended: the end of the last attempt, or of its connection. Resolves when all is over; never rejects. */
  get closed(): Promise<CloseInfo> {
    this.#link.inbox.expectEnd();
    return this.#link.closed;
  }

  /** Aborts when all is over; its reason is the error that tells why. */
  get signal(): AbortSignal {
    return this.#link.signal;
  }

  /**
   * Sends a message: a string or `TextBytes` as text, other bytes as binary. It is sent behind those before it, now
   * or once there is a connection. Bytes that have to wait are copied.
   *
   * Resolves once the message was handed to a socket that was open, and that has room for more (`writeLimit`). That is
   * no receipt of the peer: no WebSocket gives one.
   *
   * @throws NotSentError; its `outcome` says whether the message can be sent again without the peer getting it twice
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
      return this.#link.sender.send(data, this.#settingsOf(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits for the next message, of whatever connection. One reader at a time.
   *
   * @throws the error that tells why no message will come any more: ConnectionClosed, or what was fatal
   * @throws ConcurrencyError while another `recv`, iteration or `forEach` waits
   * @throws TooSlowError after `timeout`; nothing is lost
   */
  recv(options?: ReceiveOptions): Promise<Message> {
    try {
      checkOptionNames("recv()", options, RECEIVE_OPTIONS);
      const signal = checkSignal(options?.signal);
      const timeout = checkDuration("timeout", options?.timeout, null);
      return receiveOne(this.#link, "recv()", { signal, timeout });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Calls `callback` with each message, in order, and awaits what it returns before the next one. Resolves when all is
   * over, however it ended; rejects with what `callback` throws (all goes on then), or with the reason of an abort.
   */
  forEach(callback: (message: Message) => unknown, options?: CallOptions): Promise<CloseInfo> {
    try {
      checkFunction("callback", callback);
      checkOptionNames("forEach()", options, CALL_OPTIONS);
      const signal = checkSignal(options?.signal);
      return consumeAll(this.#link, callback, signal, () => undefined).then(() => this.#link.closed);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Iterates over the messages of all connections. The loop ends when this side closes, and throws what was fatal.
   * Leaving it early changes nothing: call `close()`.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return new MessageIterator(this.#link);
  }

  /**
   * Declares that no message is read here: those that wait, and those of any connection to come, are dropped. Nothing
   * that is unread holds a server back then. Calling it again changes nothing.
   *
   * @throws ConcurrencyError while a `recv`, iteration or `forEach` reads
   * @throws InvalidStateError is what every way of reading rejects with afterwards
   */
  discard(): void {
    this.#link.inbox.discard();
  }

  /**
   * The network may be another one, or back, or the user is: finds out now rather than later. While waiting, the next
   * attempt begins at once, even where the server asked for a longer wait. An open connection is pinged: one that does
   * not answer within `probeTimeout` is replaced at once. An attempt that has taken longer than that already begins
   * anew. Browsers do it by themselves, but for a wait that the server asked for.
   */
  probe(): void {
    this.#link.probe();
  }

  /**
   * Ends all: an open connection by the closing handshake, behind everything that was sent before; an attempt to
   * connect, and a wait, at once. What waits without a connection is rejected as unsent.
   *
   * @param code 1000–1003, 1007–1014 or 3000–4999. @default 1000
   * @param reason at most 123 bytes of UTF-8. @default ""
   * @throws InvalidArgumentError for any other code or a longer reason; nothing changes
   */
  close(code = 1000, reason = ""): Promise<CloseInfo> {
    try {
      this.#link.close(checkClose(code, reason));
      return this.closed;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends all at once, without a Close. Never throws. */
  terminate(): void {
    this.#link.terminate();
  }

  /** Adds a listener; returns what removes it. */
  on<Name extends PersistentEventName>(event: Name, listener: PersistentListener<Name>): () => void {
    requireChoice("event", event, PERSISTENT_EVENT_NAMES);
    checkFunction("listener", listener);
    return this.#link.listeners.add(event, listener);
  }

  /** `await using link = connectPersistent(…)` closes with 1000 at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #settingsOf(options: PersistentSendOptions = {}): MessageSettings {
    const { mayEncode, signal } = checkSendOptions(options, PERSISTENT_SEND_OPTIONS);
    return {
      mayEncode,
      signal,
      timeToLive: checkDuration("timeToLive", options.timeToLive, this.#timeToLive),
    };
  }
}
