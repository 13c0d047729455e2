// The stream to the server: one request at a time gets its answer; a lost stream reconnects.

import type { InspectAnswer, InspectRequest } from "../../build/server/inspect/wire.js";

/** A request without its id, which the stream adds. */
export type NewRequest = InspectRequest extends infer Each
  ? Each extends InspectRequest
    ? Omit<Each, "id">
    : never
  : never;

export interface StreamEvents {
  onOpen(): void;
  /** @param seconds until the next attempt */
  onLost(code: number, reason: string, seconds: number): void;
}

const LONGEST_WAIT = 15;

export class Stream {
  readonly #url: string;
  readonly #events: StreamEvents;
  readonly #waiting = new Map<number, (answer: InspectAnswer | null) => void>();
  #socket: WebSocket | null = null;
  #ids = 0;
  #failures = 0;

  constructor(url: string, events: StreamEvents) {
    this.#url = url;
    this.#events = events;
    this.#open();
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Resolves with null if the stream is lost first. */
  ask(request: NewRequest): Promise<InspectAnswer | null> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.resolve(null);
    const id = ++this.#ids;
    socket.send(JSON.stringify({ ...request, id }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #open(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#failures = 0;
      this.#events.onOpen();
    });
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as InspectAnswer; // The server's own form.
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      for (const resolve of this.#waiting.values()) resolve(null);
      this.#waiting.clear();
      const seconds = Math.min(LONGEST_WAIT, 2 ** this.#failures++);
      this.#events.onLost(code, reason, seconds);
      setTimeout(() => this.#open(), seconds * 1_000);
    });
  }
}
