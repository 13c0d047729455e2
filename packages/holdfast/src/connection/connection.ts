// `Connection`: the public facade of one connection. It checks arguments; ConnectionCore does the work.

/* eslint max-lines: ["warn", { "max": 340, "skipBlankLines": true, "skipComments": true }] -- The public methods, with their documentation. */

import type { LatencyStats } from "../heartbeat/latency-statistics.js";
import { checkFunction, checkSignal, checkSize, requireChoice } from "../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { showURL } from "../shared/show-url.js";
import { checkClose, checkControlPayload, type Bytes } from "./arguments.js";
import { CALL_OPTIONS, checkSendOptions, checkWaitOptions } from "./call-options.js";
import type { CloseInfo, Traffic } from "./close-info.js";
import { ConnectionCore, type ConnectionCoreOptions, type ConnectionState } from "./connection-core.js";
import { setCoreReader } from "./core-of.js";
import { endSource, type Fragments } from "./sending/source.js";
import type { HandshakeRecord, HandshakeRequest, HandshakeResponse } from "./handshake-record.js";
import { consumeAll } from "./reading/consume-all.js";
import type { Message } from "./reading/inbox.js";
import { describeObject, showInInspector } from "./inspection.js";
import { EVENT_NAMES, READ_INSTEAD, type ConnectionEventName, type Listener } from "./listeners.js";
import type { ConnectionSession } from "./session-state.js";
import type { SendSettings, SendUntil } from "./message-transport.js";
import type { Address } from "./ports.js";
import { MessageIterator, receiveOne, WholeMessage } from "./reading/readers.js";

/** The facts that `connect()` and `serve()` pass to a new connection. */
export interface ConnectionInit extends ConnectionCoreOptions {
  readonly handshake: HandshakeRecord;
}

/** Options of calls that wait. */
export interface CallOptions {
  /** Stops waiting: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
}

/** Options of `send()`. */
export interface SendOptions extends CallOptions {
  /** Compress the message, if the peers agreed on compression and the message is large enough. @default true */
  readonly compress?: boolean | undefined;
  /**
   * `"sent"`: resolve once a socket has the message and there is room for more. `"delivered"`: resolve once the peer has
   * confirmed the message, which requires a session (docs/sessions.md). @default "sent"
   */
  readonly until?: SendUntil | undefined;
}

/** Options of `recv()`. */
export interface ReceiveOptions extends CallOptions {
  /** Milliseconds to wait at most; null for no limit. @default null */
  readonly timeout?: number | null | undefined;
}

/** Options of `recvStream()`. */
export interface ReceiveStreamOptions extends CallOptions {
  /** Maximum size of the message in bytes; null for no limit. @default null */
  readonly maxSize?: number | null | undefined;
}

/** Options of `ping()`. */
export interface PingOptions extends CallOptions {
  /**
   * Milliseconds from the call to the pong at most; null for no limit. Time in which our own process did not run or did
   * not read does not count. @default null
   */
  readonly timeout?: number | null | undefined;
}

const STREAM_OPTIONS: OptionNames<ReceiveStreamOptions> = { signal: true, maxSize: true };

let readHandshake: (connection: Connection) => HandshakeRecord;

/**
 * An open WebSocket, made by `connect()` or `serve()`. `Data` is the type of `data`.
 *
 * Read it in one of three ways: `for await (const message of connection)`, `await connection.recv()`, or
 * `connection.forEach(callback)`, which costs least. A text message is a string, a binary one a `Uint8Array`.
 */
export class Connection<Data = unknown> implements AsyncIterable<Message>, AsyncDisposable {
  readonly #core: ConnectionCore;
  readonly #handshake: HandshakeRecord;

  static {
    setCoreReader((connection) => connection.#core);
    readHandshake = (connection) => connection.#handshake;
    showInInspector(this, ({ id, url, state, latency }) =>
      describeObject("Connection", { id, url: showURL(url), state, latency }),
    );
  }

  private constructor(init: ConnectionInit) {
    this.#handshake = init.handshake;
    this.#core = new ConnectionCore(init, this);
  }

  /** Names this connection in logs. Unique in this process, and most likely across processes. */
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

  /** The agreed subprotocol (RFC 6455 section 1.9); null for none. */
  get subprotocol(): string | null {
    return this.#handshake.subprotocol;
  }

  /** The agreed extensions, as in `Sec-WebSocket-Extensions` (RFC 6455 section 9). */
  get extensions(): readonly string[] {
    return this.#handshake.extensions;
  }

  /** The local address; null if the transport has no addresses. */
  get localAddress(): Address | null {
    return this.#core.transport.localAddress;
  }

  /**
   * The peer's address. At a server with `trustProxy`, the client's address as the proxies report it. Null if the
   * transport has no addresses, or if it ended before the first call.
   */
  get remoteAddress(): Address | null {
    return this.#handshake.remoteAddress ?? this.#core.transport.remoteAddress;
  }

  /**
   * At a server: the `data` that `onRequest` returned; undefined if it returned none. With a session, the data of the
   * newest socket, because `onRequest` runs for each (docs/sessions.md).
   */
  get data(): Data {
    return this.#handshake.data as Data; // The type of `onRequest`, which `serve()` and `attach()` check.
  }

  /** The session, which outlives sockets (docs/sessions.md); null for a connection without one. */
  get session(): ConnectionSession | null {
    return this.#core.session;
  }

  get state(): ConnectionState {
    return this.#core.state;
  }

  /** Round-trip time of the newest answered ping in milliseconds; null before the first. */
  get latency(): number | null {
    return this.#core.keepalive.latency;
  }

  /** Statistics of the round-trip times, in milliseconds. A snapshot. */
  get latencyStats(): LatencyStats {
    return this.#core.keepalive.latencyStats;
  }

  /**
   * Messages and bytes in each direction so far: the numbers that `evidence` contains at the end. A snapshot, for
   * metrics of open connections. With `connectInWorker()`, the bytes are as of the newest event from the worker: a
   * message or pong that arrived, or a message that left.
   */
  get traffic(): Traffic {
    return this.#core.traffic;
  }

  /** Bytes that were sent and that the kernel has not accepted yet. */
  get bufferedAmount(): number {
    return this.#core.bufferedAmount;
  }

  /**
   * How the connection ended. Resolves when it has ended, for whatever reason; never rejects. Awaiting it after the
   * last `recv()` shows that the application will send no reply, so that the library answers the peer's Close at once.
   */
  get closed(): Promise<CloseInfo> {
    return this.#core.expectEnd();
  }

  /** Aborts when the connection ends; its reason is the ConnectionClosed error. */
  get signal(): AbortSignal {
    return this.#core.signal;
  }

  /**
   * Sends a message: a string or `TextBytes` as text, other bytes as binary (RFC 6455 section 5.6).
   *
   * An iterable of strings or of bytes is sent as one message, with a fragment for each piece, never compressed. Each
   * piece is sent when the next one is there, or the end; without pieces nothing is sent. Until the message is complete,
   * other messages and the Close of `close()` wait in the order of the calls. An error before its first fragment was sent
   * changes nothing. A later error (a piece of another type, an iterable that throws, an abort) ends the connection with
   * 1011. If it is not sent whole, `send()` ends the iterable, or destroys the stream.
   *
   * Memory shared with other threads (`SharedArrayBuffer`) is sent as it is when its bytes are read: leave it unchanged
   * until the promise resolves.
   *
   * Resolves while fewer than `writeLimit` bytes are unsent, and waits otherwise: `await` it to keep pace with the
   * peer. The caller may change the bytes once it has resolved. An abort withdraws a message of which no byte has been
   * sent; otherwise it only stops waiting.
   *
   * @throws InvalidArgumentError for anything but a string, bytes, or an iterable of them
   * @throws ConnectionClosed when the connection ends first
   * @throws NotSentError if a session does not deliver the message, or `signal` has withdrawn it (docs/sessions.md)
   */
  send(data: string | Bytes | Fragments, options?: SendOptions): Promise<void> {
    try {
      return this.#core.send(data, options === undefined ? DEFAULT_SEND : checkSendOptions(options));
    } catch (error) {
      endSource(data);
      return Promise.reject(error);
    }
  }

  /**
   * Waits for the next message. One reader at a time. Messages received before the end can still be read after it.
   *
   * @throws ConnectionClosed when no more messages will arrive
   * @throws ConcurrencyError while another `recv`, iteration or `forEach` waits
   * @throws TooSlowError after `timeout`; nothing is lost
   */
  recv(options?: ReceiveOptions): Promise<Message> {
    const { inbox } = this.#core;
    if (options === undefined && inbox.length > 0 && !inbox.hasReader) {
      return Promise.resolve(inbox.poll("caller") ?? "");
    }
    try {
      return receiveOne(this.#core, "recv()", checkWaitOptions("recv()", options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Iterates over the pieces of the next message as they arrive, without ever holding all of a large one. `maxQueue`
   * bounds the unread pieces, and `maxSize` the message instead of `maxMessageSize`: beyond it the connection fails with
   * 1009. A larger message than `maxMessageSize` that arrives before the call waits for it; another reader fails the
   * connection with 1009. A compressed message, and one that was already received, is a single piece, and in browsers
   * every message: `maxMessageSize` applies to them. Leaving the loop early discards the rest of the message.
   *
   * @throws ConnectionClosed when the connection ends before the message does
   * @throws ConcurrencyError while a `recv`, iteration or `forEach` waits
   */
  recvStream(options?: ReceiveStreamOptions): AsyncIterableIterator<Message, undefined> {
    checkOptionNames("recvStream()", options, STREAM_OPTIONS);
    const maxSize = checkSize("maxSize", options?.maxSize, null) ?? Infinity;
    const signal = checkSignal(options?.signal);
    const { streaming } = this.#core.runtime;
    return streaming === null
      ? new WholeMessage(this.#core, signal)
      : streaming.read(this.#core, signal, maxSize);
  }

  /**
   * Calls `callback` with each message, in order, and awaits its result before the next one.
   *
   * Resolves when the connection has ended, for whatever reason. Rejects if `callback` throws (the connection then
   * stays open), or with the reason of an abort.
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
   * Declares that this side reads no messages: waiting and future messages are dropped. Pings, pongs, limits and the
   * peer's Close are still handled, and unread messages never make the peer wait. For handlers that only send. Calling
   * it again changes nothing.
   *
   * @throws ConcurrencyError while a `recv`, iteration or `forEach` reads
   * @throws InvalidStateError is the error with which every later read rejects
   */
  discard(): void {
    this.#core.discard();
  }

  /**
   * Iterates over the messages. The loop ends when the connection ended well (`CloseInfo.ok`), and throws
   * ConnectionClosedError otherwise. Leaving the loop early leaves the connection open.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return new MessageIterator(this.#core);
  }

  /**
   * Sends a Ping and waits for its Pong. Resolves with the round-trip time in milliseconds, from handing the bytes to
   * the socket to reading the answer (RFC 6455 sections 5.5.2 and 5.5.3).
   *
   * @param payload at most 125 bytes, and not the payload of a ping in flight; random by default
   * @throws ConcurrencyError for the payload of a ping in flight, which is not affected
   * @throws ConnectionClosed when the connection ends first
   * @throws TooSlowError after `timeout`; the connection stays open
   * @throws InvalidStateError in a browser, if the server does not speak Holdfast's link protocol
   */
  ping(payload?: string | Bytes | null, options?: PingOptions): Promise<number> {
    try {
      const { signal, timeout } = checkWaitOptions("ping()", options);
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
   * Sends a Pong: to answer pings with `autoPong: false`, or unsolicited (RFC 6455 section 5.5.3). Does nothing while
   * the connection is closing.
   */
  pong(payload: string | Bytes = ""): void {
    const bytes = checkControlPayload(payload);
    this.#core.sendPong(bytes);
  }

  /**
   * Closes the connection: sends a Close after the messages sent before, waits for the peer's, and resolves when the
   * socket has ended, after `closeTimeout` at the latest (RFC 6455 section 7.1.2). Browsers drop the messages that
   * arrive meanwhile. Calling it again changes nothing.
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

  /** Adds a listener; returns a function that removes it. */
  on<Name extends ConnectionEventName>(event: Name, listener: Listener<Name>): () => void {
    requireChoice("event", event, EVENT_NAMES, READ_INSTEAD);
    checkFunction("listener", listener);
    return this.#core.listeners.add(event, listener);
  }

  /** `await using connection = …` closes with 1000 at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Gives the library access to the handshake of a connection. */
export function handshakeOf(connection: Connection): HandshakeRecord {
  return readHandshake(connection);
}

/** Makes a connection; `coreOf(connection).start()` begins reading and pinging. */
export function createConnection(init: ConnectionInit): Connection {
  // The constructor is private so that the published declarations do not name its parameter. It is called here, rather
  // than in the static block, so that bundlers keep the class for users of this function.
  const Constructor = Connection as unknown as new (init: ConnectionInit) => Connection;
  return new Constructor(init);
}

const DEFAULT_SEND: SendSettings = { mayEncode: true, signal: null, receipt: null, until: "sent" };

function closeInfoOf(core: ConnectionCore): CloseInfo {
  return core.closeInfo;
}
