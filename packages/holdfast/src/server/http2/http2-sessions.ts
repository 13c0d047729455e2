// The HTTP/2 connections of a `serve()` server; each carries many concurrent requests (RFC 9113, RFC 8441).

import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { nodeModule } from "../../protocol/node-module.js";
import { STREAM_WINDOW } from "../../transport/node/http2-fields.js";
import type { ServerCore } from "../server-core.js";
import type { IncomingSocket } from "../upgrade-requests.js";
import { Http2Session } from "./http2-session.js";

interface PendingSocket {
  readonly socket: Socket;
  readonly incoming: IncomingSocket;
}

export class Http2Sessions {
  /** Does not listen; `receive()` passes it the sockets that speak HTTP/2. */
  readonly #server: Http2Server;
  readonly #core: ServerCore;
  readonly #sessions = new Set<Http2Session>();
  /** The socket for which Node is creating a session. */
  #pending: PendingSocket | null = null;

  constructor(core: ServerCore) {
    const { headLimits } = core.settings;
    this.#core = core;
    this.#server = nodeModule("node:http2").createServer({
      // Node resets the stream of a larger head. Up to twice the limits, it passes, and gets an answer.
      maxHeaderListPairs: 2 * headLimits.maxHeaders,
      maxSessionMemory: MAX_MEGABYTES,
      settings: {
        enableConnectProtocol: true,
        initialWindowSize: STREAM_WINDOW,
        maxConcurrentStreams: MAX_STREAMS,
        maxHeaderListSize: Math.min(2 * headLimits.maxSize, 2 ** 32 - 1),
      },
    });
    this.#server.on("session", this.#onSession);
    this.#server.on("sessionError", (error: Error) => {
      core.settings.connection.logger?.info("HTTP/2 connection failed", { reason: error.message });
    });
  }

  receive(socket: Socket, incoming: IncomingSocket): void {
    // Node's session notices that its socket has closed, but not a half-close.
    socket.allowHalfOpen = false;
    this.#pending = { socket, incoming };
    this.#server.emit("connection", socket);
    // Node creates no session for a socket if ALPN selected another protocol.
    if (this.#takePending() !== null) socket.destroy();
    // The session of Bun reads a paused socket from its next bytes on, and loses those that were read before.
    else if ("bun" in process.versions) socket.resume();
  }

  /** Sends GOAWAY on every connection. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }

  destroyAll(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** Node emits this event synchronously within `receive()`. */
  readonly #onSession = (nodeSession: ServerHttp2Session): void => {
    const pending = this.#takePending();
    if (pending === null) return;
    const { socket, incoming } = pending;
    const session = new Http2Session(nodeSession, socket, incoming, this.#core);
    this.#sessions.add(session);
    session.begin(() => this.#sessions.delete(session));
  };

  #takePending(): PendingSocket | null {
    const pending = this.#pending;
    this.#pending = null;
    return pending;
  }
}

/** Maximum number of concurrent streams per connection. */
const MAX_STREAMS = 1000;

/** Memory for that many streams with full buffers, in megabytes. */
const MAX_MEGABYTES = 256;
