// `Connection`: the public facade of one connection. It checks arguments; ConnectionCore does the work.

/* eslint max-lines: ["warn", { "max": 340, "skipBlankLines": true, "skipComments": true }] -- The public methods, with their documentation. */

import type { LatencyStats } from "../heartbeat/latency-statistics.js";
import {
  checkBoolean,
  checkChoice,
  checkDuration,
  checkFunction,
  checkSignal,
  requireChoice,
} from "../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { showURL } from "../shared/show-url.js";
import { checkClose, checkControlPayload, type Bytes } from "./arguments.js";
import type { CloseInfo, Traffic } from "./close-info.js";
import { ConnectionCore, type ConnectionCoreOptions, type ConnectionState } from "./connection-core.js";
import type { Fragments } from "./fragmented-send.js";
import type { HandshakeRecord, HandshakeRequest, HandshakeResponse } from "./handshake-record.js";
import { consumeAll, type Message } from "./inbox.js";
import { describeObject, showInInspector } from "./inspection.js";
import { EVENT_NAMES, type ConnectionEventName, type Listener } from "./listeners.js";
import type { ConnectionSession } from "./session-state.js";
import { MessageStream } from "./message-stream.js";
import type { SendSettings, SendUntil } from "./message-transport.js";
import type { Address } from "./ports.js";
import { MessageIterator, receiveOne } from "./readers.js";

/** What `connect()` and `serve()` know of a connection that they opened. */
export interface ConnectionInit extends ConnectionCoreOptions {
  readonly handshake: HandshakeRecord;
}

/** For calls that wait. */
export interface CallOptions {
  /** Stops waiting: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
}

/** For `send()`. */
export interface SendOptions extends CallOptions {
  /** Compress the message, where compression was agreed on and it is large enough to be worth it. @default true */
  readonly compress?: boolean | undefined;
  /**
   * `"sent"`: resolve once a socket has the message and there is room for more. `"delivered"`: resolve once the peer has
   * confirmed the message, which requires a session (docs/sessions.md). @default "sent"
   */
  readonly until?: SendUntil | undefined;
}

/** For `recv()`. */
export interface ReceiveOptions extends CallOptions {
  /** Milliseconds to wait at most; null for no limit. @default null */
  readonly timeout?: number | null | undefined;
}

/** For `ping()`. */
export interface PingOptions extends CallOptions {
  /**
   * Milliseconds from the call to the pong at most; null for no limit. Time in which our own process did not run or
   * did not read is no time of the peer's, and does not count. @default null
   */
  readonly timeout?: number | null | undefined;
}

export const CALL_OPTIONS: OptionNames<CallOptions> = { signal: true };
export const SEND_OPTIONS: OptionNames<SendOptions> = { signal: true, compress: true, until: true };
export const RECEIVE_OPTIONS: OptionNames<ReceiveOptions> = { signal: true, timeout: true };
const PING_OPTIONS: OptionNames<PingOptions> = { signal: true, timeout: true };

let readCore: (connection: Connection) => ConnectionCore;

/**
 * An open WebSocket, made by `connect()` or `serve()`.
 *
 * Read it in one of three ways: `for await (const message of connection)`, `await connection.recv()`, or
 * `connection.forEach(callback)`, which costs least. A text message is a string, a binary one a `Uint8Array`.
 */
export class Connection implements AsyncIterable<Message>, AsyncDisposable {
  readonly #core: ConnectionCore;
  readonly #handshake: HandshakeRecord;

  static {
    readCore = (connection) => connection.#core;
    showInInspector(this, ({ id, url, state, latency }) =>
      describeObject("Connection", { id, url: showURL(url), state, latency }),
    );
  }

  private constructor(init: ConnectionInit) {
    this.#handshake = init.handshake;
    this.#core = new ConnectionCore(init, this);
  }

  /** Names this connection in logs; unique in this process, and most likely among all. */
  get id(): string {
    return this.#core.id;
  }

  /** The URL, without user info. */
  get url(): string {
    return this.#handshake.url;
  }

  /** The client's opening request (RFC 6455 section 4.1). */
  get request(): HandshakeRequest {
    return this.#handshake.request;
  }

  /** The server's answer (RFC 6455 section 4.2.2). */
  get response(): HandshakeResponse {
    return this.#handshake.response;
  }

  /** The subprotocol agreed on (RFC 6455 section 1.9); null for none. */
  get subprotocol(): string | null {
    return this.#handshake.subprotocol;
  }

  /** The extensions agreed on, as in `Sec-WebSocket-Extensions` (RFC 6455 section 9). */
  get extensions(): readonly string[] {
    return this.#handshake.extensions;
  }

  /** The local end; null where the transport has no addresses. */
  get localAddress(): Address | null {
    return this.#core.localAddress;
  }

  /**
   * The peer's end, at a server with `trustProxy` the client's as the proxies report it; null where the transport has
   * no addresses, or is gone before anybody asked.
   */
  get remoteAddress(): Address | null {
    return this.#handshake.remoteAddress ?? this.#core.remoteAddress;
  }

  /** At a server: what `onRequest` returned as `data`; undefined where it returned none. */
  get data(): unknown {
    return this.#handshake.data;
  }

  /** The session, which outlives sockets (docs/sessions.md); null for a connection without one. */
  get session(): ConnectionSession | null {
    return this.#core.session;
  }

  get state(): ConnectionState {
    return this.#core.state;
  }

  /** Milliseconds that the newest answered ping took; null before the first. */
  get latency(): number | null {
    return this.#core.keepalive.latency;
  }

  /** Statistics of the round-trip times, in milliseconds. A snapshot. */
  get latencyStats(): LatencyStats {
    return this.#core.keepalive.latencyStats;
  }

  /**
   * Messages and bytes in each direction so far, with the numbers that `evidence` has at the end. A snapshot, for the
   * metrics of open connections.
   */
  get traffic(): Traffic {
    return this.#core.traffic;
  }

  /** Bytes that were sent, and that the kernel has not taken yet. */
  get bufferedAmount(): number {
    return this.#core.bufferedAmount;
  }

  /**
   * How the connection ended. Resolves when it has, however it did; never rejects. Who awaits it after the last `recv()`
   * has nothing to answer: the peer's Close is answered at once then.
   */
  get closed(): Promise<CloseInfo> {
    this.#core.inbox.expectEnd();
    return this.#core.whenEnded;
  }

  /** Aborts when the connection ends; its reason is the ConnectionClosed error. */
  get signal(): AbortSignal {
    return this.#core.signal;
  }

  /**
   * Sends a message: a string or `TextBytes` as text, other bytes as binary (RFC 6455 section 5.6). An iterable of strings or of bytes is
   * sent as one message, a fragment for each piece as it comes, never compressed; other messages, and the Close of
   * `close()`, wait in the order of the calls until it is complete. Memory shared with other threads
   * (`SharedArrayBuffer`) is sent as it is when its bytes are read: leave it unchanged until the promise resolves. What goes wrong before its first fragment has left changes nothing; what goes wrong later (a piece of
   * another type, an iterable that throws, an abort) ends the connection with 1011.
   *
   * Resolves while fewer than `writeLimit` bytes are unsent, and waits otherwise: `await` it to keep pace with the
   * peer. Bytes may be changed once it has resolved. An abort takes back a message of which no byte has left;
   * one that is on its way already just stops waiting.
   *
   * @throws InvalidArgumentError for anything but a string, bytes, or an iterable of them
   * @throws ConnectionClosed when the connection ends first
   */
  send(data: string | Bytes | Fragments, options?: SendOptions): Promise<void> {
    try {
      return this.#core.send(data, options === undefined ? DEFAULT_SEND : checkSendOptions(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits for the next message. One reader at a time; what was received before the end can still be read.
   *
   * @throws ConnectionClosed when no message will come any more
   * @throws ConcurrencyError while another `recv`, iteration or `forEach` waits
   * @throws TooSlowError after `timeout`; nothing is lost
   */
  recv(options?: ReceiveOptions): Promise<Message> {
    const { inbox } = this.#core;
    if (options === undefined && inbox.length > 0 && !inbox.hasReader) {
      return Promise.resolve(inbox.poll("caller") ?? "");
    }
    try {
      checkOptionNames("recv()", options, RECEIVE_OPTIONS);
      const signal = checkSignal(options?.signal);
      const timeout = checkDuration("timeout", options?.timeout, null);
      return receiveOne(this.#core, "recv()", { signal, timeout });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Hands out the next message piece by piece as it arrives, a large one without ever holding all of it; what waits
   * to be read is bounded by `maxQueue`, the whole by `maxMessageSize`. A compressed message, and one that was
   * received already, is a single piece. Leaving the loop early throws the rest of the message away.
   *
   * @throws ConnectionClosed when the connection ends before the message does
   * @throws ConcurrencyError while a `recv`, iteration or `forEach` waits
   */
  recvStream(options?: CallOptions): AsyncIterableIterator<Message, undefined> {
    checkOptionNames("recvStream()", options, CALL_OPTIONS);
    return new MessageStream(this.#core, checkSignal(options?.signal));
  }

  /**
   * Calls `callback` with each message, in order, and awaits what it returns before the next one.
   *
   * Resolves when the connection has ended, however it did; rejects with what `callback` throws (the connection
   * stays open then), or with the reason of an abort.
   */
  forEach(callback: (message: Message) => unknown, options?: CallOptions): Promise<CloseInfo> {
    try {
      checkFunction("callback", callback);
      checkOptionNames("forEach()", options, CALL_OPTIONS);
      return consumeAll(this.#core, callback, checkSignal(options?.signal), closeInfoOf);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Declares that this side reads no message: those that wait, and those that come, are dropped. Pings, pongs, limits
   * and the peer's Close go on, and nothing that is unread holds the peer back. For handlers that only send. Calling it
   * again changes nothing.
   *
   * @throws ConcurrencyError while a `recv`, iteration or `forEach` reads
   * @throws InvalidStateError is what every way of reading rejects with afterwards
   */
  discard(): void {
    this.#core.inbox.discard();
  }

  /**
   * Iterates over the messages. The loop ends when the connection ended as it should (`CloseInfo.ok`), and throws
   * ConnectionClosedError otherwise. Leaving the loop early leaves the connection open.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return new MessageIterator(this.#core);
  }

  /**
   * Sends a Ping and waits for its Pong; resolves with the round trip in milliseconds, from the bytes handed to the
   * socket to the bytes read (RFC 6455 sections 5.5.2 and 5.5.3).
   *
   * @param payload at most 125 bytes, and no payload of a ping in flight; random by default
   * @throws ConcurrencyError for the payload of a ping in flight, which is not affected
   * @throws ConnectionClosed when the connection ends first
   * @throws TooSlowError after `timeout`; the connection stays open
   * @throws InvalidStateError in a browser, where nothing was agreed on with the server that could serve as a ping
   */
  ping(payload?: string | Bytes | null, options?: PingOptions): Promise<number> {
    try {
      checkOptionNames("ping()", options, PING_OPTIONS);
      const signal = checkSignal(options?.signal);
      const timeout = checkDuration("timeout", options?.timeout, null);
      const bytes =
        payload === undefined || payload === null
          ? this.#core.keepalive.newPayload()
          : checkControlPayload(payload);
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      return this.#core.ping(bytes, signal, timeout);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends a Pong: to answer pings oneself with `autoPong: false`, or unasked (RFC 6455 section 5.5.3).
   * Does nothing while the connection is closing.
   */
  pong(payload: string | Bytes = ""): void {
    const bytes = checkControlPayload(payload);
    this.#core.sendPong(bytes);
  }

  /**
   * Closes the connection: sends a Close behind what was sent before, waits for the peer's, and resolves at the end
   * of the socket, after `closeTimeout` at the latest (RFC 6455 section 7.1.2). Calling it again changes nothing.
   *
   * @param code 1000–1003, 1007–1014 or 3000–4999. @default 1000
   * @param reason at most 123 bytes of UTF-8. @default ""
   * @throws InvalidArgumentError for any other code or a longer reason; the connection is not affected
   */
  close(code = 1000, reason = ""): Promise<CloseInfo> {
    try {
      this.#core.closeWithCause("local-close", checkClose(code, reason));
      return this.closed;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends the connection at once, without a Close. Never throws. */
  terminate(): void {
    this.#core.terminate("aborted");
  }

  /** Adds a listener; returns what removes it. */
  on<Name extends ConnectionEventName>(event: Name, listener: Listener<Name>): () => void {
    requireChoice("event", event, EVENT_NAMES);
    checkFunction("listener", listener);
    return this.#core.listeners.add(event, listener);
  }

  /** `await using connection = …` closes with 1000 at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The accessor by which the library reaches behind the facade. */
export function coreOf(connection: Connection): ConnectionCore {
  return readCore(connection);
}

/** Makes a connection; `coreOf(connection).start()` begins reading and pinging. */
export function createConnection(init: ConnectionInit): Connection {
  // The constructor is private so that the declarations which ship do not name its parameter. It is called here, rather
  // than in the static block, so that bundlers keep the class for whoever uses this function.
  const Constructor = Connection as unknown as new (init: ConnectionInit) => Connection;
  return new Constructor(init);
}

const DEFAULT_SEND: SendSettings = { mayEncode: true, signal: null, receipt: null, until: "sent" };

/** @throws InvalidArgumentError */
export function checkSendOptions(
  options: SendOptions,
  names: Readonly<Record<string, true>> = SEND_OPTIONS,
): SendSettings {
  checkOptionNames("send()", options, names);
  const mayEncode = checkBoolean("compress", options.compress, true);
  const until = checkChoice("until", options.until, ["sent", "delivered"], "sent");
  return { mayEncode, signal: checkSignal(options.signal), receipt: null, until };
}

function closeInfoOf(core: ConnectionCore): CloseInfo {
  return core.closeInfo;
}
