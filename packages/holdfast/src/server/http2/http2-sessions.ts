// The HTTP/2 connections of a server of our own: each brings requests, many at a time (RFC 9113, RFC 8441).

import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { CONNECTION_WINDOW, STREAM_WINDOW } from "../../node/http2-fields.js";
import type { Reception } from "../reception.js";
import { streamHead } from "./stream-head.js";

export class Http2Sessions {
  /** Does not listen: it is given the sockets that speak HTTP/2. */
  readonly #server: Http2Server;
  readonly #reception: Reception;
  readonly #sessions = new Map<ServerHttp2Session, Socket>();

  constructor(reception: Reception) {
    const { headLimits } = reception.settings;
    this.#reception = reception;
    this.#server = createServer({
      maxHeaderListPairs: headLimits.maxHeaders,
      maxSessionMemory: MAX_MEGABYTES,
      settings: {
        enableConnectProtocol: true,
        initialWindowSize: STREAM_WINDOW,
        maxConcurrentStreams: MAX_STREAMS,
        maxHeaderListSize: headLimits.maxSize,
      },
    });
    this.#server.on("sessionError", (error: Error) => {
      reception.settings.connection.logger?.info("HTTP/2 connection failed", { reason: error.message });
    });
  }

  /** @param since when the client began, in monotonic milliseconds */
  receive(socket: Socket, isSecure: boolean, since: number): void {
    // A session notices the end of its socket by the socket's close only.
    socket.allowHalfOpen = false;
    this.#server.once("session", (session) => this.#watch(session, socket, isSecure, since));
    this.#server.emit("connection", socket);
  }

  /** GOAWAY to all; those with requests that are not over are cut a little later. */
  close(): void {
    for (const [session, socket] of this.#sessions) {
      session.close();
      setTimeout(() => socket.destroy(), LINGER).unref();
    }
  }

  #watch(session: ServerHttp2Session, socket: Socket, isSecure: boolean, since: number): void {
    let streams = 0;
    let isFirst = true;
    this.#sessions.set(session, socket);
    session.once("close", () => this.#sessions.delete(session));
    session.setLocalWindowSize(CONNECTION_WINDOW);
    const { openTimeout } = this.#reception.settings;
    // Without a request for so long, nobody knows whether anybody is there.
    session.setTimeout(openTimeout ?? 0, () => {
      if (streams > 0) return;
      session.close();
      setTimeout(() => socket.destroy(), LINGER).unref();
    });
    session.on("stream", (stream, headers) => {
      // The TLS handshake counts for the first request only.
      const began = isFirst ? since : this.#reception.runtime.clock.now();
      isFirst = false;
      if (streams === 0) session.setTimeout(IDLE);
      streams++;
      stream.once("close", () => streams--);
      this.#reception.receiveStream(stream, { isSecure, since: began }, streamHead(headers));
    });
  }
}

/** Milliseconds that a connection is kept without any stream: as long as browsers need to get from page to WebSocket. */
const IDLE = 60_000;

/** Milliseconds for the last frames of a connection. */
const LINGER = 1000;

/** At a time, on one connection. */
const MAX_STREAMS = 1000;

/** As many streams with full buffers. */
const MAX_MEGABYTES = 256;
