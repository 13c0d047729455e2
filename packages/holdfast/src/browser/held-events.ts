// Keeps the events of an open WebSocket until its connection is made.

export class HeldEvents {
  readonly #held: (() => void)[] = [];

  constructor(socket: WebSocket) {
    socket.onmessage = (event) => this.#held.push(() => void socket.onmessage?.(event));
    socket.onerror = (event) => this.#held.push(() => void socket.onerror?.(event));
    socket.onclose = (event) => this.#held.push(() => void socket.onclose?.(event));
  }

  /** Passes the events to the handlers that the socket has got since, in order. */
  replay(): void {
    for (const pass of this.#held.splice(0)) pass();
  }
}
