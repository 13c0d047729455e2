// The HTTP/2 side of an attempt: takes a session, asks for a WebSocket on it, and asks again on another session where
// the server refused the stream, or the session was dead already.

import type { ClientHttp2Stream } from "node:http2";
import type { Runtime } from "../../connection/runtime.js";
import { Alarm, type AlarmHandler } from "../../connection/timer-queue.js";
import { Http2ByteStream, resetStream } from "../../transport/node/http2-byte-stream.js";
import type { HandshakeHead } from "../../protocol/handshake/client-handshake.js";
import type { HandshakeError } from "../../shared/errors.js";
import type { ExchangeHandler } from "../exchange.js";
import type { DialContext } from "../dial/dial-context.js";
import { Http2Exchange } from "./http2-exchange.js";
import { SessionPool } from "./session-pool.js";
import { wasRefused, type SharedSession } from "./shared-session.js";

export interface Http2Request {
  readonly head: HandshakeHead;
  readonly isSecure: boolean;
  readonly passage: DialContext;
  /** Is called with the stream of the request. Returns the handler of its answer. */
  answerOn(transport: Http2ByteStream): ExchangeHandler;
  /** Takes another session, and makes the request again. */
  readonly again: () => void;
  readonly failed: (error: HandshakeError) => void;
}

export class Http2Opening implements AlarmHandler {
  readonly #runtime: Runtime;
  readonly #openTimeout: number | null;
  readonly #alarm = new Alarm(this);
  #session: SharedSession | null = null;
  /** Whether another attempt had opened the session, so that it may have died since. */
  #isReused = false;
  /** The number of the last session that could not be used. */
  #unusable = 0;
  #repetitions = 0;
  /** Gives up the request whose session does not answer a PING. */
  #onMute: (() => void) | null = null;

  constructor(runtime: Runtime, openTimeout: number | null) {
    this.#runtime = runtime;
    this.#openTimeout = openTimeout;
  }

  /** @param key null for a session that cannot be shared */
  async takeSession(
    key: string | null,
    passage: DialContext,
    begin: () => Promise<SharedSession>,
  ): Promise<SharedSession> {
    const { session, isReused } =
      key === null
        ? { session: await begin(), isReused: false }
        : // Attempts that wait for this session go on when this attempt ends.
          await pool.take(key, this.#unusable, () => passage.untilAbandoned(begin));
    this.#session = session;
    this.#isReused = isReused;
    return session;
  }

  request(session: SharedSession, request: Http2Request): void {
    const { passage } = request;
    const stream = session.request(request.head, request.isSecure);
    if (stream === null) {
      this.#askAgain(request);
      return;
    }
    const transport = new Http2ByteStream(stream, () => session.retire());
    passage.onCancel(() => resetStream(stream));
    const exchange = new Http2Exchange(stream, request.answerOn(transport), () => {
      const canAskAgain = wasRefused(stream) || (this.#isReused && session.isOver);
      if (canAskAgain) this.#askAgain(request);
      return canAskAgain;
    });
    passage.exchange = exchange;
    exchange.begin(transport);
    if (this.#isReused) this.#probe(session, stream, exchange, request);
  }

  /** No other attempt is to use the session. */
  retireSession(): void {
    this.#session?.retire();
  }

  /** The attempt has succeeded or failed. */
  end(): void {
    this.#onMute = null;
    this.#runtime.timers.cancel(this.#alarm);
  }

  /** The answer may be in the kernel already, if it was our own process that was late. */
  onAlarm(): void {
    this.#runtime.clock.afterPoll(() => this.#onMute?.());
  }

  /** The peer of a session may be gone without a word: networks forget quiet connections. */
  #probe(
    session: SharedSession,
    stream: ClientHttp2Stream,
    exchange: Http2Exchange,
    request: Http2Request,
  ): void {
    const onMute = () => {
      if (exchange.finishBody()) return;
      exchange.abandon();
      this.#askAgain(request);
      resetStream(stream);
    };
    this.#onMute = onMute;
    const { timers, clock } = this.#runtime;
    timers.set(this.#alarm, clock.now() + Math.min(PING_TIMEOUT, (this.#openTimeout ?? Infinity) / 3));
    session.whenAlive(() => {
      if (this.#onMute === onMute) this.end();
    });
  }

  /** For streams that were refused unseen: RFC 9113 section 8.7. */
  #askAgain({ passage, again, failed }: Http2Request): void {
    this.end();
    this.#session?.retire();
    this.#unusable = this.#session?.number ?? 0;
    passage.onCancel(null);
    passage.exchange = null;
    if (++this.#repetitions > MAX_REPETITIONS) failed(passage.endedEarly());
    else again();
  }
}

/** The HTTP/2 connections of this process. */
const pool = new SessionPool();

/** Sessions that may refuse a stream, or end, one after the other. */
const MAX_REPETITIONS = 3;

/** Milliseconds after which a session that does not answer a PING counts as dead. */
const PING_TIMEOUT = 2_000;
