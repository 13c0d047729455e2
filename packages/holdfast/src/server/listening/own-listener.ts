// A listener of the server's own: its sockets, up to their requests.

import cluster from "node:cluster";
import type { Server as Listener, Socket } from "node:net";
import type { Entrance } from "../entrance.js";
import type { Reception } from "../reception.js";
import { urlOf, type Place } from "./place.js";
import { TlsHandshakes } from "./tls-handshakes.js";

export class OwnListener implements Entrance {
  readonly port: number;
  readonly url: string;
  readonly #listener: Listener;
  readonly #handshakes: TlsHandshakes | null;
  /** Other processes listen on the same port. */
  readonly #hasSiblings: boolean;
  #stopped: Promise<void> | null = null;

  /** @param listener that listens already */
  constructor(listener: Listener, place: Place, isSecure: boolean, reception: Reception) {
    this.#listener = listener;
    const address = listener.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    this.url = urlOf(place, isSecure, this.port);
    this.#hasSiblings = place.kind === "tcp" && (place.isShared || cluster.isWorker);

    const { clock } = reception.runtime;
    const { logger } = reception.settings.connection;
    // Such as too many open files: it ends no connection, and the server neither.
    listener.on("error", (error: Error) => logger?.error("listening failed", { error }));
    const handshakes = isSecure ? new TlsHandshakes(listener, clock, logger) : null;
    this.#handshakes = handshakes;
    listener.on(isSecure ? "secureConnection" : "connection", (socket: Socket) => {
      reception.receive(socket, { isSecure, since: handshakes?.beginningOf(socket) ?? clock.now() });
    });
  }

  drain(): void {
    if (this.#hasSiblings) void this.#stopListening();
  }

  close(): Promise<void> {
    const stopped = this.#stopListening();
    this.#handshakes?.destroyAll();
    return stopped;
  }

  #stopListening(): Promise<void> {
    return (this.#stopped ??= new Promise((resolve) => this.#listener.close(() => resolve())));
  }
}
