// Opens a WebSocket over HTTP/2 with extended CONNECT (RFC 8441). It retries on another session if the server refuses
// the stream or if the session has already died.

import type { ClientHttp2Stream } from "node:http2";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
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
  readonly context: DialContext;
  /** Called with the stream of the request. Returns the handler of the response. */
  createHandler(transport: Http2ByteStream): ExchangeHandler;
  /** Acquires another session and repeats the request. */
  readonly retry: () => void;
  readonly onFailed: (error: HandshakeError) => void;
}

export class ExtendedConnect extends Deadline {
  readonly #runtime: Runtime;
  readonly #openTimeout: number | null;
  #session: SharedSession | null = null;
  /** Whether an earlier attempt opened the session, which may have ended since. */
  #isReused = false;
  /** Sessions are numbered; the newest one that could not be used. */
  #newestUnusable = 0;
  #retries = 0;
  /** Retries a request whose session does not answer a PING; null if no PING is pending. */
  #onUnresponsive: (() => void) | null = null;

  constructor(runtime: Runtime, openTimeout: number | null) {
    super();
    this.#runtime = runtime;
    this.#openTimeout = openTimeout;
  }

  /** @param key identifies sessions that can be shared; null for one that cannot */
  async acquireSession(
    key: string | null,
    context: DialContext,
    open: () => Promise<SharedSession>,
  ): Promise<SharedSession> {
    const { session, isReused } =
      key === null
        ? { session: await open(), isReused: false }
        : // Other attempts that wait for this session must continue if this attempt fails.
          await pool.acquire(key, this.#newestUnusable, () => context.untilAborted(open));
    this.#session = session;
    this.#isReused = isReused;
    return session;
  }

  request(session: SharedSession, request: Http2Request): void {
    const { context } = request;
    const stream = session.request(request.head, request.isSecure);
    if (stream === null) {
      this.#retry(request);
      return;
    }
    const transport = new Http2ByteStream(stream, () => session.retire());
    context.onCancel(() => resetStream(stream));
    const exchange = new Http2Exchange(stream, request.createHandler(transport), () => {
      const isUnprocessed = wasRefused(stream) || (this.#isReused && session.isClosed);
      const canRetry = isUnprocessed && this.#retries < MAX_RETRIES;
      if (canRetry) this.#retry(request);
      else if (isUnprocessed) session.retire();
      return canRetry;
    });
    context.exchange = exchange;
    exchange.begin(transport);
    if (this.#isReused) this.#probe(session, stream, exchange, request);
  }

  /** Stops new attempts from using the session. */
  retireSession(): void {
    this.#session?.retire();
  }

  /** Stops waiting for the PING. Called when the attempt has succeeded or failed. */
  end(): void {
    this.#onUnresponsive = null;
    this.#runtime.timers.cancel(this);
  }

  /** If this process was late, the kernel may hold the PING's answer already: read before retrying. */
  onAlarm(): void {
    this.#runtime.clock.afterPoll(() => this.#onUnresponsive?.());
  }

  /** Checks that a reused session is alive: networks silently drop idle connections. */
  #probe(
    session: SharedSession,
    stream: ClientHttp2Stream,
    exchange: Http2Exchange,
    request: Http2Request,
  ): void {
    const onUnresponsive = () => {
      if (exchange.finishBody()) return;
      exchange.detach();
      this.#retry(request);
      resetStream(stream);
    };
    this.#onUnresponsive = onUnresponsive;
    const { timers, clock } = this.#runtime;
    timers.set(this, clock.now() + Math.min(PING_TIMEOUT, (this.#openTimeout ?? Infinity) / 3));
    session.onPong(() => {
      if (this.#onUnresponsive === onUnresponsive) this.end();
    });
  }

  /** Repeats a request that the server did not process (RFC 9113 section 8.7). */
  #retry({ context, retry, onFailed }: Http2Request): void {
    this.end();
    this.#session?.retire();
    this.#newestUnusable = this.#session?.number ?? 0;
    context.onCancel(null);
    context.exchange = null;
    if (++this.#retries > MAX_RETRIES) onFailed(context.endedEarly());
    else retry();
  }
}

/** The shared HTTP/2 sessions of this process. */
const pool = new SessionPool();

/** Limits consecutive sessions that refuse the stream or end. */
const MAX_RETRIES = 3;

/** Milliseconds without an answer to a PING after which a session is considered dead. */
const PING_TIMEOUT = 2_000;
