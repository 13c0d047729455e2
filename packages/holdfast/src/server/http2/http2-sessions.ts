// The HTTP/2 connections of a server of our own: each brings requests, many at a time (RFC 9113, RFC 8441).

import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { STREAM_WINDOW } from "../../transport/node/http2-fields.js";
import type { IncomingSocket, ServerCore } from "../server-core.js";
import { Http2Session } from "./http2-session.js";

interface Arriving {
  readonly socket: Socket;
  readonly arrival: IncomingSocket;
}

export class Http2Sessions {
  /** Does not listen: it is given the sockets that speak HTTP/2. */
  readonly #server: Http2Server;
  readonly #reception: ServerCore;
  readonly #sessions = new Set<Http2Session>();
  /** The socket that the server is making a session of. */
  #arriving: Arriving | null = null;

  constructor(reception: ServerCore) {
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
    this.#server.on("session", this.#onSession);
    this.#server.on("sessionError", (error: Error) => {
      reception.settings.connection.logger?.info("HTTP/2 connection failed", { reason: error.message });
    });
  }

  receive(socket: Socket, arrival: IncomingSocket): void {
    // A session notices the end of its socket by the socket's close only.
    socket.allowHalfOpen = false;
    this.#arriving = { socket, arrival };
    this.#server.emit("connection", socket);
    // Node makes no session of a socket on which ALPN chose another protocol.
    if (this.#takeArriving() !== null) socket.destroy();
  }

  /** GOAWAY to all. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }

  destroyAll(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** Node emits it within `receive()`. */
  readonly #onSession = (nodeSession: ServerHttp2Session): void => {
    const arriving = this.#takeArriving();
    if (arriving === null) return;
    const { socket, arrival } = arriving;
    const session = new Http2Session(nodeSession, socket, arrival, this.#reception);
    this.#sessions.add(session);
    session.begin(() => this.#sessions.delete(session));
  };

  #takeArriving(): Arriving | null {
    const arriving = this.#arriving;
    this.#arriving = null;
    return arriving;
  }
}

/** At a time, on one connection. */
const MAX_STREAMS = 1000;

/** As many streams with full buffers. */
const MAX_MEGABYTES = 256;
