// The face of a connection: what applications hold. The works stand in link.ts.

/* eslint max-lines: ["warn", { "max": 340, "skipBlankLines": true, "skipComments": true }] -- The public methods, with their documentation. */

import type { LatencyStats } from "../heartbeat/latency-statistics.js";
import type { CloseFrame } from "../shared/close-code.js";
import { InvalidStateError } from "../shared/errors.js";
import { checkClose, checkControlPayload, toBytes, type Bytes } from "./arguments.js";
import type { CloseInfo, Traffic } from "./close-info.js";
import { ConcurrencyError, type ConnectionClosed } from "./errors.js";
import { isFragments, type Fragments } from "./fragmented-send.js";
import type { HandshakeRecord, HandshakeRequest, HandshakeResponse } from "./handshake-record.js";
import type { Message } from "./inbox.js";
import { describeObject, inspectCustom } from "./inspection.js";
import { Interruptions } from "./interruption.js";
import {
  ended,
  ConnectionCore,
  type ConnectionState,
  type GoAwayCause,
  type ConnectionCoreOptions,
} from "./connection-core.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { EVENT_NAMES, type ConnectionEventName, type Listener } from "./listeners.js";
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkSignal,
  invalidArgument,
  requireChoice,
} from "../shared/option-checks.js";
import type { Address } from "./ports.js";
import { TextBytes } from "../shared/text-bytes.js";
import { MessageStream } from "./message-stream.js";
import { MessageIterator } from "./message-iterator.js";
import { consumeAll, receiveOne } from "./readers.js";
import type { Runtime } from "./runtime.js";
import { SendTurns } from "./send-turns.js";
import { attachObserver, type ConnectionObserver, type ObservedConnection } from "./connection-observer.js";
import type { SendSettings, SharedMessage } from "./message-transport.js";
import { showURL } from "../shared/show-url.js";

/** What `connect()` and `serve()` know of a connection that they opened. Not for applications. */
export interface ConnectionInit extends ConnectionCoreOptions {
  readonly handshake: HandshakeRecord;
  /** Who keeps a list of connections; null where nobody does. */
  readonly owner: ConnectionEndObserver | null;
}

/** Who is told that a connection has ended. */
export interface ConnectionEndObserver {
  onConnectionEnded(connection: Connection, info: CloseInfo): void;
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
export const SEND_OPTIONS: OptionNames<SendOptions> = { signal: true, compress: true };
export const RECEIVE_OPTIONS: OptionNames<ReceiveOptions> = { signal: true, timeout: true };
const PING_OPTIONS: OptionNames<PingOptions> = { signal: true, timeout: true };

/** What closes a connection on its owner's behalf. Not for applications. */
export const closeWithCause = Symbol("closeFor");
/** Ends a connection now: the peer is sent a Close, in case it still listens, and not waited for. Not for applications. */
export const goAway = Symbol("leave");
/** Ends a connection at once, on its owner's behalf. Not for applications. */
export const abort = Symbol("cutFor");
/** Stops reading while the peer sends faster than it may. Not for applications. */
export const holdReading = Symbol("holdReading");
/** Reads on. Not for applications. */
export const releaseReading = Symbol("releaseReading");
/** Sends a message that goes to many, if it may. Not for applications. */
export const trySend = Symbol("offer");
/** Pings now, ahead of the schedule. Not for applications. */
export const probe = Symbol("probe");
/** Sends, and tells a receipt when the message leaves. Not for applications. */
export const sendTracked = Symbol("sendTracked");
/** Hands to the socket now what else would go at the end of the turn. Not for applications. */
export const flush = Symbol("flush");
/** Begins reading and pinging. Not for applications. */
export const start = Symbol("start");
/** The clock and the timers that a connection lives by, for the recipes of persist/. Not for applications. */
export const runtimeOf = Symbol("runtimeOf");
/** Names the method that is `closed` for the library itself, which waits beside those who read. */
export const whenEnded = Symbol("whenEnded");
/** Names the method that says that the library itself is going to read. */
export const willBeRead = Symbol("willBeRead");

/**
 * An open WebSocket, made by `connect()` or `serve()`.
 *
 * Read it in one of three ways: `for await (const message of connection)`, `await connection.recv()`, or
 * `connection.forEach(callback)`, which costs least. A text message is a string, a binary one a `Uint8Array`.
 */
export class Connection implements AsyncIterable<Message>, AsyncDisposable {
  readonly #link: ConnectionCore;
  readonly #handshake: HandshakeRecord;
  readonly #owner: ConnectionEndObserver | null;
  #id: string | null = null;
  // Made on demand: of ten thousand idle connections, most are never asked for them.
  #closed: { promise: Promise<CloseInfo>; resolve: (info: CloseInfo) => void } | null = null;
  #aborter: AbortController | null = null;
  /** While a message is sent piece by piece, and others wait for it; null otherwise. */
  #turns: SendTurns | null = null;
  #interruptions: Interruptions | null = null;

  /** Applications get connections from `connect()` and `serve()`. */
  constructor(init: ConnectionInit) {
    this.#handshake = init.handshake;
    this.#owner = init.owner;
    this.#link = new ConnectionCore(init, this);
  }

  /** Names this connection in logs; unique in this process, and most likely among all. */
  get id(): string {
    return (this.#id ??= this.#link.runtime.nextId());
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
    return this.#link.localAddress;
  }

  /**
   * The peer's end, at a server with `trustProxy` the client's as the proxies report it; null where the transport has
   * no addresses, or is gone before anybody asked.
   */
  get remoteAddress(): Address | null {
    return this.#handshake.remoteAddress ?? this.#link.remoteAddress;
  }

  /** At a server: what `onRequest` returned as `data`; undefined where it returned none. */
  get data(): unknown {
    return this.#handshake.data;
  }

  get state(): ConnectionState {
    return this.#link.state;
  }

  /** Milliseconds that the newest answered ping took; null before the first. */
  get latency(): number | null {
    return this.#link.pulse.latency;
  }

  /** Statistics of the round-trip times, in milliseconds. A snapshot. */
  get latencyStats(): LatencyStats {
    return this.#link.pulse.latencyStats;
  }

  /**
   * Messages and bytes in each direction so far, with the numbers that `evidence` has at the end. A snapshot, for the
   * metrics of open connections.
   */
  get traffic(): Traffic {
    return this.#link.traffic;
  }

  /** Bytes that were sent, and that the kernel has not taken yet. */
  get bufferedAmount(): number {
    return this.#link.bufferedAmount;
  }

  /**
   * How the connection ended. Resolves when it has, however it did; never rejects. Who awaits it after the last `recv()`
   * has nothing to answer: the peer's Close is answered at once then.
   */
  get closed(): Promise<CloseInfo> {
    this.#link.inbox.expectEnd();
    return this[whenEnded]();
  }

  [whenEnded](): Promise<CloseInfo> {
    if (this.#closed === null) {
      let resolve: (info: CloseInfo) => void = () => undefined;
      const promise = new Promise<CloseInfo>((settle) => (resolve = settle));
      this.#closed = { promise, resolve };
      if (this.state === "closed") resolve(this.#link.closeInfo);
    }
    return this.#closed.promise;
  }

  /** Aborts when the connection ends; its reason is the ConnectionClosed error. */
  get signal(): AbortSignal {
    if (this.#aborter === null) {
      this.#aborter = new AbortController();
      if (this.state === "closed") this.#aborter.abort(this.#link.closedError());
    }
    return this.#aborter.signal;
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
      return this[sendTracked](data, options === undefined ? DEFAULT_SEND : checkSendOptions(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** `send()` for who has to know when the message leaves. */
  [sendTracked](data: string | Bytes | Fragments, settings: SendSettings): Promise<void> {
    try {
      if (settings.signal?.aborted === true) return Promise.reject(settings.signal.reason as Error);
      if (!this.#link.isSendable) return this.#rejectOnceClosed(settings.signal);
      const turns = this.#turns;
      if (turns !== null) return turns.wait(() => this.#sendNow(data, settings), settings.signal);
      return this.#sendNow(data, settings);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Throws for what cannot be sent. */
  #sendNow(data: string | Bytes | Fragments, settings: SendSettings): Promise<void> {
    if (typeof data === "string") return this.#link.sendText(data, settings);
    const bytes = toBytes(data);
    if (bytes !== null && data instanceof TextBytes) return this.#link.sendText(data, settings);
    if (bytes !== null) return this.#link.sendBinary(bytes, settings);
    if (isFragments(data)) return this.#openTurns().sendFragments(data, settings.signal);
    throw invalidArgument("data", "a string, bytes, or an iterable of them", data);
  }

  /**
   * Waits for the next message. One reader at a time; what was received before the end can still be read.
   *
   * @throws ConnectionClosed when no message will come any more
   * @throws ConcurrencyError while another `recv`, iteration or `forEach` waits
   * @throws TooSlowError after `timeout`; nothing is lost
   */
  recv(options?: ReceiveOptions): Promise<Message> {
    const { inbox } = this.#link;
    if (options === undefined && inbox.length > 0 && !inbox.hasReader) {
      return Promise.resolve(inbox.poll("caller") ?? "");
    }
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
   * Hands out the next message piece by piece as it arrives, a large one without ever holding all of it; what waits
   * to be read is bounded by `maxQueue`, the whole by `maxMessageSize`. A compressed message, and one that was
   * received already, is a single piece. Leaving the loop early throws the rest of the message away.
   *
   * @throws ConnectionClosed when the connection ends before the message does
   * @throws ConcurrencyError while a `recv`, iteration or `forEach` waits
   */
  recvStream(options?: CallOptions): AsyncIterableIterator<Message, undefined> {
    checkOptionNames("recvStream()", options, CALL_OPTIONS);
    return new MessageStream(this.#link, checkSignal(options?.signal));
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
      return consumeAll(this.#link, callback, checkSignal(options?.signal), closeInfoOf);
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
    this.#link.inbox.discard();
  }

  /**
   * Iterates over the messages. The loop ends when the connection ended as it should (`CloseInfo.ok`), and throws
   * ConnectionClosedError otherwise. Leaving the loop early leaves the connection open.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return new MessageIterator(this.#link);
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
      const { pulse } = this.#link;
      const bytes =
        payload === undefined || payload === null ? pulse.newPayload() : checkControlPayload(payload);
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      if (this.#link.state !== "open") return this.#rejectOnceClosed(signal);
      if (!this.#link.canPing) throw new InvalidStateError(NO_PINGS);
      if (pulse.isInFlight(bytes)) {
        throw new ConcurrencyError(
          "Expected a payload that no ping in flight has: its pong could answer either",
        );
      }
      return pulse.ping(bytes, signal, timeout);
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
    this.#link.sendPong(bytes);
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
      this[closeWithCause]("local-close", checkClose(code, reason));
      return this.closed;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends the connection at once, without a Close. Never throws. */
  terminate(): void {
    this.#link.terminate("aborted", null);
  }

  /** Adds a listener; returns what removes it. */
  on<Name extends ConnectionEventName>(event: Name, listener: Listener<Name>): () => void {
    requireChoice("event", event, EVENT_NAMES);
    checkFunction("listener", listener);
    return this.#link.listeners.add(event, listener);
  }

  /** `await using connection = …` closes with 1000 at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  [inspectCustom](): string {
    const { id, url, state, latency } = this;
    return describeObject("Connection", { id, url: showURL(url), state, latency });
  }

  [start](): void {
    this.#link.start();
  }

  [probe](): void {
    this.#link.pulse.probe();
  }

  [willBeRead](): void {
    this.#link.inbox.leave("reader");
  }

  get [runtimeOf](): Runtime {
    return this.#link.runtime;
  }

  [attachObserver](tap: ConnectionObserver): ObservedConnection {
    return this.#link.attachTap(tap);
  }

  [goAway](close: CloseFrame, cause: GoAwayCause = "aborted"): CloseInfo {
    return this.#link.leave(close, cause);
  }

  [flush](): void {
    this.#link.flush();
  }

  [ended](info: CloseInfo, closedError: () => ConnectionClosed): void {
    this.#closed?.resolve(info);
    this.#aborter?.abort(closedError());
    this.#interruptions?.end(closedError);
    this.#owner?.onConnectionEnded(this, info);
  }

  /**
   * Behind the messages that wait, or, where it `isUrgent`, instead of them. A handler that failed may well have been
   * the one to send the rest of a message: that is not waited for.
   */
  [closeWithCause](
    cause: "handler-failed" | "local-close" | "server-shutdown",
    close: CloseFrame,
    error: Error | null = null,
    isUrgent = false,
  ): void {
    if (this.#turns === null || isUrgent || cause === "handler-failed") {
      this.#link.close(close, cause, error, isUrgent);
      return;
    }
    this.#turns.closeAfterwards(close);
    this.#link.close(null, cause, error);
  }

  [abort](cause: "server-shutdown"): void {
    this.#link.terminate(cause, null);
  }

  [holdReading](): void {
    this.#link.holdReading();
  }

  [releaseReading](): void {
    this.#link.releaseReading();
  }

  /** Sends the message where fewer than `limit` bytes wait for the peer. */
  [trySend](message: SharedMessage, limit: number): "not-open" | "sent" | "slow" {
    if (this.#link.state !== "open") return "not-open";
    if (!this.#link.hasRoom(limit - (this.#turns?.offeredBytes ?? 0))) return "slow";
    const turns = this.#turns;
    if (turns === null) {
      this.#link.sendShared(message);
    } else {
      const { data, mayEncode } = message;
      turns.offer(message, () => this.#sendNow(data, { ...DEFAULT_SEND, mayEncode }));
    }
    return "sent";
  }

  /** Too late: what comes is the end, and only then is it known how it went. */
  #rejectOnceClosed(signal: AbortSignal | null): Promise<never> {
    return this.#waits.begin(signal).waitForever();
  }

  #openTurns(): SendTurns {
    return (this.#turns ??= new SendTurns(this.#link, this.#waits, () => (this.#turns = null)));
  }

  get #waits(): Interruptions {
    if (this.#interruptions === null) {
      this.#interruptions = new Interruptions();
      if (this.state === "closed") this.#interruptions.end(() => this.#link.closedError());
    }
    return this.#interruptions;
  }
}

const NO_PINGS =
  "This connection has no pings: browsers send none, and the server does not speak Holdfast's link protocol. Give `heartbeat` functions that make messages which the server answers";

const DEFAULT_SEND: SendSettings = { mayEncode: true, signal: null, receipt: null };

/** @throws InvalidArgumentError */
export function checkSendOptions(
  options: SendOptions,
  names: Readonly<Record<string, true>> = SEND_OPTIONS,
): SendSettings {
  checkOptionNames("send()", options, names);
  const mayEncode = checkBoolean("compress", options.compress, true);
  return { mayEncode, signal: checkSignal(options.signal), receipt: null };
}

function closeInfoOf(link: ConnectionCore): CloseInfo {
  return link.closeInfo;
}
