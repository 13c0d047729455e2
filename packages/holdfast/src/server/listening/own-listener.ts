// A listener of the server's own: its sockets, up to their requests.

import cluster from "node:cluster";
import type { Server as Listener, Socket } from "node:net";
import type { Entrance } from "../entrance.js";
import { Http2Sessions } from "../http2/http2-sessions.js";
import type { Reception } from "../reception.js";
import { limitSockets } from "./limit-sockets.js";
import { urlOf, type Place } from "./place.js";
import { TlsHandshakes } from "./tls-handshakes.js";

export interface ListenerInit {
  readonly place: Place;
  readonly isSecure: boolean;
  readonly http2: boolean;
  readonly reception: Reception;
}

export class OwnListener implements Entrance {
  readonly port: number;
  readonly url: string;
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
      const since = handshakes?.beginningOf(socket) ?? clock.now();
      const speakHttp2 = sessions === null ? null : () => sessions.receive(socket, isSecure, since);
      if (speakHttp2 !== null && "alpnProtocol" in socket && socket.alpnProtocol === "h2") speakHttp2();
      else reception.receive(socket, { isSecure, since }, speakHttp2);
    });
  }

  drain(): void {
    if (this.#hasSiblings) void this.#stopListening();
  }

  close(): Promise<void> {
    const stopped = this.#stopListening();
    this.#handshakes?.destroyAll();
    this.#sessions?.close();
    return stopped;
  }

  #stopListening(): Promise<void> {
    return (this.#stopped ??= new Promise((resolve) => this.#listener.close(() => resolve())));
  }
}
