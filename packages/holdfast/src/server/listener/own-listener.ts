// A listener of the server's own: its sockets, up to their requests.

import cluster from "node:cluster";
import type { Server as Listener, Socket } from "node:net";
import type { Clock } from "../../connection/ports.js";
import type { ServerListener } from "./server-listener.js";
import { Http2Sessions } from "../http2/http2-sessions.js";
import type { ServerCore } from "../server-core.js";
import { limitSockets } from "./limit-sockets.js";
import { polls } from "../shutdown/polls.js";
import { urlOf, type ListenAddress } from "./listen-address.js";
import { TlsHandshakes } from "./tls-handshakes.js";

export interface ListenerInit {
  readonly place: ListenAddress;
  readonly isSecure: boolean;
  readonly http2: boolean;
  readonly reception: ServerCore;
}

export class OwnListener implements ServerListener {
  readonly port: number;
  readonly url: string;
  readonly #clock: Clock;
  readonly #listener: Listener;
  readonly #handshakes: TlsHandshakes | null;
  readonly #sessions: Http2Sessions | null;
  /** Other processes listen on the same port. */
  readonly #hasSiblings: boolean;
  #stopped: Promise<void> | null = null;

  /** @param listener that listens already */
  constructor(listener: Listener, { place, isSecure, http2, reception }: ListenerInit) {
    this.#listener = listener;
    const address = listener.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    this.url = urlOf(place, isSecure, this.port);
    this.#hasSiblings = place.kind === "tcp" && (place.isShared || cluster.isWorker);

    const { clock } = reception.runtime;
    this.#clock = clock;
    const { trustProxy, connection } = reception.settings;
    const { logger } = connection;
    // Such as too many open files: it ends no connection, and the server neither.
    listener.on("error", (error: Error) => logger?.error("listening failed", { error }));
    const { addressLimits } = reception;
    if (addressLimits !== null) limitSockets(listener, addressLimits, trustProxy, logger);
    const handshakes = isSecure ? new TlsHandshakes(listener, clock, logger) : null;
    this.#handshakes = handshakes;
    const sessions = http2 ? new Http2Sessions(reception) : null;
    this.#sessions = sessions;
    listener.on(isSecure ? "secureConnection" : "connection", (socket: Socket) => {
      if (socket.destroyed) return; // One too many of its address.
      const arrival = { isSecure, since: handshakes?.beginningOf(socket) ?? clock.now() };
      if (sessions === null) reception.receive(socket, arrival, null);
      else if (!isSecure) reception.receive(socket, arrival, () => sessions.receive(socket, arrival));
      // RFC 9113 section 3.2: over TLS, ALPN alone chooses HTTP/2. A preface without it gets 505.
      else if ("alpnProtocol" in socket && socket.alpnProtocol === "h2") sessions.receive(socket, arrival);
      else reception.receive(socket, arrival, null);
    });
  }

  async drain(): Promise<void> {
    if (!this.#hasSiblings) await this.#emptyBacklog();
    void this.#stopListening();
  }

  close(): Promise<void> {
    const stopped = this.#stopListening();
    this.#handshakes?.destroyAll();
    this.#sessions?.close();
    return stopped;
  }

  destroy(): void {
    this.#sessions?.destroyAll();
  }

  /** Takes the clients that wait in the kernel: they would be reset with the port. libuv takes one with each poll. */
  async #emptyBacklog(): Promise<void> {
    const until = this.#clock.now() + FOR_BACKLOG;
    let emptyPolls = 0;
    const onClient = (): void => void (emptyPolls = 0);
    this.#listener.on("connection", onClient);
    // Two, as the first may be the rest of the present one.
    while (emptyPolls++ < 2 && this.#clock.now() < until) await polls(this.#clock, 1);
    this.#listener.off("connection", onClient);
  }

  #stopListening(): Promise<void> {
    return (this.#stopped ??= new Promise((resolve) => this.#listener.close(() => resolve())));
  }
}

/** Milliseconds that a flood of clients may delay the end of listening. */
const FOR_BACKLOG = 100;
