// Tracks TCP connections during their TLS handshake, when nothing else knows of them.

import type { Server as Listener, Socket } from "node:net";
import type { Clock, Logger } from "../../connection/ports.js";

export class TlsHandshakes {
  readonly #logger: Logger | null;
  readonly #sockets = new Set<Socket>();
  /** The time at which each connection arrived, by the client's address and port. */
  readonly #startTimes = new Map<string, number>();

  constructor(listener: Listener, clock: Clock, logger: Logger | null) {
    this.#logger = logger;
    listener.on("connection", (socket: Socket) => this.#watch(socket, clock.now()));
    listener.on("tlsClientError", (error: Error, socket: Socket) => this.#onFailure(error, socket));
  }

  /**
   * Returns when a client with a finished handshake connected; null on a Unix socket, where clients have no address.
   */
  startOf(socket: Socket): number | null {
    return this.#startTimes.get(keyOf(socket)) ?? null;
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #watch(socket: Socket, now: number): void {
    // Node has no documented way from a TLS socket to its TCP socket, but both have the client's address and port.
    const key = keyOf(socket);
    this.#sockets.add(socket);
    if (key !== NO_ADDRESS) this.#startTimes.set(key, now);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#startTimes.get(key) === now) this.#startTimes.delete(key);
    });
  }

  /** Node does not close a socket whose TLS handshake fails or times out. */
  #onFailure(error: Error, socket: Socket): void {
    const { remoteAddress } = socket;
    this.#logger?.info("TLS handshake failed", { reason: error.message.trim(), remoteAddress });
    socket.destroy();
  }
}

const NO_ADDRESS = "undefined undefined";

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
