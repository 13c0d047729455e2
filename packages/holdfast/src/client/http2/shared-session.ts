// One HTTP/2 connection to a server, and the WebSockets that share it (RFC 8441).

import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { CONNECTION_WINDOW, fieldsToSend, STREAM_WINDOW } from "../../transport/node/http2-fields.js";
import { HandshakeError, InvalidHeaderError } from "../../shared/errors.js";
import type { HandshakeHead } from "../../protocol/handshake/client-handshake.js";
import type { HeadLimits } from "../../protocol/handshake/head-failure.js";
import { errorOf } from "../../shared/thrown.js";
import type { SystemError } from "../open-failure.js";
import type { DialContext } from "../dial/dial-context.js";

export class SharedSession {
  static #count = 0;
  /** Counts the sessions of this process. */
  readonly number = ++SharedSession.#count;
  readonly #socket: Duplex;
  readonly #session: ClientHttp2Session;
  #streams = 0;
  #isRetired = false;
  #idleTimer: NodeJS.Timeout | null = null;
  /** What waits for the PING on its way; null for none. */
  #pinging: Set<() => void> | null = null;

  private constructor(socket: Duplex, session: ClientHttp2Session) {
    this.#socket = socket;
    this.#session = session;
  }

  /**
   * Begins HTTP/2 on a stream that has just been opened, and waits for the server's SETTINGS: before them nobody knows
   * whether it takes WebSockets.
   *
   * @throws HandshakeError with code ERR_HOLDFAST_NO_HTTP2 where it does not
   */
  static async begin(
    socket: Duplex,
    isSecure: boolean,
    limits: HeadLimits,
    passage: DialContext,
  ): Promise<SharedSession> {
    passage.enter("upgrade");
    if (isSecure && (!("alpnProtocol" in socket) || socket.alpnProtocol !== "h2")) {
      throw noHttp2(`${passage.where} does not speak HTTP/2`);
    }
    // A session notices the end of its socket by the socket's close only.
    socket.allowHalfOpen = false;
    const session = connect(isSecure ? "https://unused" : "http://unused", {
      createConnection: () => socket,
      maxHeaderListPairs: limits.maxHeaders,
      maxSessionMemory: MAX_MEGABYTES,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW,
        maxHeaderListSize: limits.maxSize,
      },
    });
    await settingsOf(session, passage);
    if (session.remoteSettings.enableConnectProtocol !== true) {
      session.destroy();
      throw noHttp2(`${passage.where} speaks HTTP/2, but takes no WebSockets over it (RFC 8441)`);
    }
    session.setLocalWindowSize(CONNECTION_WINDOW);
    const shared = new SharedSession(socket, session);
    shared.#idle();
    return shared;
  }

  /** Whether a WebSocket more can be opened on it. */
  get hasRoom(): boolean {
    if (this.#isRetired || this.isOver) return false;
    return this.#streams < (this.#session.remoteSettings.maxConcurrentStreams ?? Infinity);
  }

  /** Whether it ends, or has ended: the server said GOAWAY, or the socket is gone. */
  get isOver(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** Sends a PING (RFC 9113 section 6.7), unless one is on its way, and calls back once the peer has answered. */
  whenAlive(callback: () => void): void {
    if (this.#pinging === null) {
      const waiting = new Set<() => void>();
      this.#pinging = waiting;
      this.#session.ping((error) => {
        this.#pinging = null;
        if (error === null) for (const notify of waiting) notify();
      });
    }
    this.#pinging.add(callback);
  }

  /** Calls back once it is gone. */
  onGone(callback: () => void): void {
    if (this.#session.destroyed) callback();
    else this.#session.once("close", callback);
  }

  /**
   * Asks for a WebSocket; null where the session has just ended.
   *
   * @throws InvalidHeaderError for a header that HTTP/2 cannot carry
   */
  request({ method, target, headers }: HandshakeHead, isSecure: boolean): ClientHttp2Stream | null {
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
      if (this.isOver) return null;
      throw new InvalidHeaderError(`Expected headers that HTTP/2 can carry: ${errorOf(error).message}`, "", {
        cause: error,
      });
    }
    this.#streams++;
    this.#stayAwake();
    stream.once("close", () => {
      this.#streams--;
      if (this.#streams === 0) this.#idle();
    });
    return stream;
  }

  /** Nobody else is to be sent this way: the peer may be gone without a word. It ends with the last of its streams. */
  retire(): void {
    this.#isRetired = true;
  }

  #stayAwake(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
    if (this.#streams === 1 && !this.#session.destroyed) this.#session.ref();
  }

  /** Waits a little for the next WebSocket, without keeping the process from its end. */
  #idle(): void {
    if (!this.#session.destroyed) this.#session.unref();
    this.#idleTimer = setTimeout(
      () => {
        this.#session.close();
        // A socket that cannot send what is written has no end of its own.
        this.#idleTimer = setTimeout(() => this.#socket.destroy(), LINGER).unref();
      },
      this.#isRetired ? 0 : IDLE,
    ).unref();
  }
}

/** @throws HandshakeError where something else comes, or the end */
function settingsOf(session: ClientHttp2Session, passage: DialContext): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    session.once("close", () => reject(passage.endedEarly()));
    // The listener stays: what goes wrong later is told by the streams.
    session.on("error", (error: SystemError) => {
      const isNoHttp2 = error.code === "ERR_HTTP2_ERROR" || error.code === "ERR_HTTP2_SESSION_ERROR";
      reject(isNoHttp2 ? noHttp2(`${passage.where} does not speak HTTP/2`, error) : passage.failure(error));
    });
  });
}

function noHttp2(trouble: string, cause?: Error): HandshakeError {
  return new HandshakeError(`${trouble}: leave out \`http2\` to reach it over HTTP/1.1`, {
    code: "ERR_HOLDFAST_NO_HTTP2",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Whether the server did nothing with the request yet, so that it can be made again (RFC 9113 section 8.7). */
export function wasRefused(stream: ClientHttp2Stream): boolean {
  return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
}

/** Milliseconds that a session without WebSockets is kept. */
const IDLE = 1000;

/** Milliseconds for the last frames of a session. */
const LINGER = 1000;

/** Some thousand WebSockets with full buffers. */
const MAX_MEGABYTES = 256;
