// The TCP connections under TLS: while they are in their handshake, nothing else knows of them.

import type { Server as Listener, Socket } from "node:net";
import type { Clock, Logger } from "../../connection/ports.js";

export class TlsHandshakes {
  readonly #logger: Logger | null;
  readonly #sockets = new Set<Socket>();
  /** When each came, by the client's address. */
  readonly #startTimes = new Map<string, number>();

  constructor(listener: Listener, clock: Clock, logger: Logger | null) {
    this.#logger = logger;
    listener.on("connection", (socket: Socket) => this.#watch(socket, clock.now()));
    listener.on("tlsClientError", (error: Error, socket: Socket) => this.#onFailure(error, socket));
  }

  /** When a client that has finished its handshake began it; null on a Unix socket, where clients have no address. */
  startOf(socket: Socket): number | null {
    return this.#startTimes.get(keyOf(socket)) ?? null;
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #watch(socket: Socket, now: number): void {
    // Node has no documented way from a TLS socket to the TCP socket under it; but both have the client's address.
    const key = keyOf(socket);
    this.#sockets.add(socket);
    if (key !== NO_ADDRESS) this.#startTimes.set(key, now);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#startTimes.get(key) === now) this.#startTimes.delete(key);
    });
  }

  /** Node leaves open what fails its TLS handshake, or takes too long for it. */
  #onFailure(error: Error, socket: Socket): void {
    const { remoteAddress } = socket;
    this.#logger?.info("TLS handshake failed", { reason: error.message, remoteAddress });
    socket.destroy();
  }
}

const NO_ADDRESS = "undefined undefined";

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
