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
/** Milliseconds for an answer. Longer than the ping of an action takes, which has ten seconds for its pong. */
const ANSWER_TIME = 15_000;

export class Stream {
  readonly #url: string;
  readonly #events: StreamEvents;
  readonly #waiting = new Map<number, (answer: InspectAnswer | null) => void>();
  #socket: WebSocket | null = null;
  #ids = 0;
  #deadline: ReturnType<typeof setTimeout> | undefined;
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
    if (this.#waiting.size === 0) this.#expectAnswer(socket);
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
      if (this.#socket !== socket) return;
      const answer = JSON.parse(String(data)) as InspectAnswer; // The server's own form.
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
      clearTimeout(this.#deadline);
      if (this.#waiting.size > 0) this.#expectAnswer(socket);
    });
    socket.addEventListener("close", ({ code, reason }) => this.#onLost(socket, code, reason));
  }

  /** A network that fails silently closes no socket, and the page would show old figures as live ones. */
  #expectAnswer(socket: WebSocket): void {
    this.#deadline = setTimeout(() => {
      this.#onLost(socket, 1006, `no answer within ${ANSWER_TIME / 1_000} s`);
      socket.close();
    }, ANSWER_TIME);
  }

  #onLost(socket: WebSocket, code: number, reason: string): void {
    if (this.#socket !== socket) return; // It counts as lost already.
    this.#socket = null;
    clearTimeout(this.#deadline);
    for (const resolve of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
    const seconds = Math.min(LONGEST_WAIT, 2 ** this.#failures++);
    this.#events.onLost(code, reason, seconds);
    setTimeout(() => this.#open(), seconds * 1_000);
  }
}
