// An HTTP/2 connection to a server that several WebSockets share (RFC 8441).

import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { nodeModule } from "../../protocol/node-module.js";
import { CONNECTION_WINDOW, fieldsToSend, STREAM_WINDOW } from "../../transport/node/http2-fields.js";
import { HandshakeError, InvalidHeaderError } from "../../shared/errors.js";
import type { HandshakeHead } from "../../protocol/handshake/client-handshake.js";
import type { HeadLimits } from "../../protocol/handshake/head-failure.js";
import { errorOf } from "../../shared/thrown.js";
import type { SystemError } from "../open-failure.js";
import type { DialContext } from "../dial/dial-context.js";
import { withFullStop } from "../../shared/full-stop.js";

export class SharedSession {
  static #count = 0;
  /** The serial number of this session in this process. */
  readonly number = ++SharedSession.#count;
  readonly #socket: Duplex;
  readonly #session: ClientHttp2Session;
  #streams = 0;
  /** Places of attempts that have not sent their request yet; at first that of the attempt that opened the session. */
  #reserved = 1;
  #isRetired = false;
  #idleTimer: NodeJS.Timeout | null = null;
  /** Callbacks for the answer to the pending PING; null if none is pending. */
  #pingCallbacks: Set<() => void> | null = null;

  private constructor(socket: Duplex, session: ClientHttp2Session) {
    this.#socket = socket;
    this.#session = session;
  }

  /**
   * Opens an HTTP/2 session on a new stream, and waits for the server's SETTINGS, which announce whether it supports
   * WebSockets.
   *
   * @throws HandshakeError with code ERR_HOLDFAST_NO_HTTP2 if the server does not support them
   */
  static async open(
    socket: Duplex,
    isSecure: boolean,
    limits: HeadLimits,
    context: DialContext,
  ): Promise<SharedSession> {
    context.enter("upgrade");
    if (isSecure && (!("alpnProtocol" in socket) || socket.alpnProtocol !== "h2")) {
      throw noHttp2(`${context.where} does not speak HTTP/2`);
    }
    // A session detects the end of its socket only by the event `close`.
    socket.allowHalfOpen = false;
    const session = nodeModule("node:http2").connect(isSecure ? "https://unused" : "http://unused", {
      createConnection: () => socket,
      maxHeaderListPairs: limits.maxHeaders,
      maxSessionMemory: MAX_MEGABYTES,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW,
        maxHeaderListSize: limits.maxSize,
      },
    });
    await settingsOf(session, context);
    if (session.remoteSettings.enableConnectProtocol !== true) {
      session.destroy();
      throw noHttp2(`${context.where} speaks HTTP/2, but takes no WebSockets over it (RFC 8441)`);
    }
    session.setLocalWindowSize(CONNECTION_WINDOW);
    const shared = new SharedSession(socket, session);
    shared.#startIdleTimer();
    return shared;
  }

  /** Whether the session can open another WebSocket. */
  get hasCapacity(): boolean {
    if (this.#isRetired || this.isClosed) return false;
    return this.#streams + this.#reserved < (this.#session.remoteSettings.maxConcurrentStreams ?? Infinity);
  }

  /** Whether the session has ended or is ending, by a GOAWAY or because its socket closed. */
  get isClosed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** Keeps a place for a WebSocket, until `request()` uses it or `release()` frees it. */
  reserve(): void {
    this.#reserved++;
  }

  release(): void {
    this.#reserved--;
  }

  /** Sends a PING (RFC 9113 section 6.7) unless one is pending, and calls back when the peer has answered. */
  onPong(callback: () => void): void {
    if (this.#pingCallbacks === null) {
      const waiting = new Set<() => void>();
      this.#pingCallbacks = waiting;
      this.#session.ping((error) => {
        this.#pingCallbacks = null;
        if (error === null) for (const notify of waiting) notify();
      });
    }
    this.#pingCallbacks.add(callback);
  }

  /** Calls back once the session has closed. */
  onClosed(callback: () => void): void {
    if (this.#session.destroyed) callback();
    else this.#session.once("close", callback);
  }

  /**
   * Requests a WebSocket, in the place that was reserved for it. Returns null if the session has just ended.
   *
   * @throws InvalidHeaderError for a header that HTTP/2 does not allow
   */
  request({ method, target, headers }: HandshakeHead, isSecure: boolean): ClientHttp2Stream | null {
    this.release();
    const pseudo = {
      ":method": method,
      ":protocol": "websocket",
      ":scheme": isSecure ? "https" : "http",
      ":authority": headers.get("Host") ?? "",
      ":path": target,
    };
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request(fieldsToSend(pseudo, headers), { endStream: false });
    } catch (error) {
      if (this.isClosed) return null;
      throw new InvalidHeaderError(
        withFullStop(`Expected headers that HTTP/2 can carry, got an error: ${errorOf(error).message}`),
        "",
        {
          cause: error,
        },
      );
    }
    this.#streams++;
    this.#keepProcessAlive();
    stream.once("close", () => {
      this.#streams--;
      if (this.#streams === 0) this.#startIdleTimer();
    });
    return stream;
  }

  /** Accepts no new streams, because the peer may be gone. The session ends with its last stream. */
  retire(): void {
    this.#isRetired = true;
  }

  #keepProcessAlive(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
    if (this.#streams === 1 && !this.#session.destroyed) this.#session.ref();
  }

  /** Closes the session after a delay without WebSockets. The timer does not keep the process alive. */
  #startIdleTimer(): void {
    if (!this.#session.destroyed) this.#session.unref();
    this.#idleTimer = setTimeout(
      () => {
        this.#session.close();
        // A socket that cannot flush its data would never close.
        this.#idleTimer = setTimeout(() => this.#socket.destroy(), LINGER).unref();
      },
      this.#isRetired ? 0 : IDLE,
    ).unref();
  }
}

/**
 * Waits for the server's SETTINGS.
 *
 * @throws HandshakeError if the server sends something else or closes the stream
 */
function settingsOf(session: ClientHttp2Session, context: DialContext): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    session.once("close", () => reject(context.endedEarly()));
    // The listener stays to prevent an uncaught exception. The streams report later errors.
    session.on("error", (error: SystemError) => {
      const isNoHttp2 = error.code === "ERR_HTTP2_ERROR" || error.code === "ERR_HTTP2_SESSION_ERROR";
      reject(isNoHttp2 ? noHttp2(`${context.where} does not speak HTTP/2`, error) : context.failure(error));
    });
  });
}

function noHttp2(problem: string, cause?: Error): HandshakeError {
  return new HandshakeError(`${problem}. Leave out \`http2\` to reach it over HTTP/1.1.`, {
    code: "ERR_HOLDFAST_NO_HTTP2",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Whether the server did not process the request, so that it can be retried (RFC 9113 section 8.7). */
export function wasRefused(stream: ClientHttp2Stream): boolean {
  return stream.rstCode === nodeModule("node:http2").constants.NGHTTP2_REFUSED_STREAM;
}

/** Milliseconds for which a session without WebSockets stays open. */
const IDLE = 1000;

/** Milliseconds to send the last frames of a session. */
const LINGER = 1000;

/** Enough for some thousand WebSockets with full buffers. */
const MAX_MEGABYTES = 256;
