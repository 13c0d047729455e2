// A client with the interface of WebSocket, for comparison: it reports OPEN until it receives something else.

import { element, say, seconds } from "./elements.js";
import type { EventLog } from "./event-log.js";

const STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];

/** Numbers arrive ten times a second. A longer silence is shown, because the client does not report it. */
const QUIET = 2_000;

interface Socket extends EventTarget {
  readonly readyState: number;
}

export class SocketSide {
  readonly #title: string;
  readonly #log: EventLog;
  readonly #state: HTMLElement;
  readonly #detail: HTMLElement;
  /** Null for a client that reconnects. */
  readonly #reopen: HTMLElement | null;
  #socket: Socket;
  #receivedAt: number | null = null;

  /** `id` begins the ids of its elements. A client that does not reconnect has a button for it. */
  constructor(id: string, title: string, log: EventLog, open: () => Socket) {
    this.#title = title;
    this.#log = log;
    this.#state = element(`${id}-state`, HTMLElement);
    this.#detail = element(`${id}-detail`, HTMLElement);
    this.#reopen = document.getElementById(`${id}-reopen`);
    this.#socket = this.#observe(open());
    this.#reopen?.addEventListener("click", () => {
      this.#socket = this.#observe(open());
      element(`${id}-title`, HTMLElement).focus();
    });
  }

  get isDown(): boolean {
    return this.#socket.readyState === WebSocket.CLOSED;
  }

  show(now: number): void {
    const { readyState } = this.#socket;
    say(this.#state, STATES[readyState] ?? "–");
    this.#state.dataset["tone"] = this.isDown ? "dead" : readyState === WebSocket.OPEN ? "good" : "waiting";
    say(this.#detail, this.#describe(now));
    if (this.#reopen !== null) this.#reopen.hidden = !this.isDown;
  }

  #describe(now: number): string {
    if (this.isDown) {
      return this.#reopen === null
        ? "It tries again soon. Nobody keeps what is sent meanwhile."
        : "It stays closed: you have to reconnect yourself.";
    }
    if (this.#receivedAt === null) return "Nothing received yet.";
    const silence = now - this.#receivedAt;
    if (silence < QUIET) return "Receives ten numbers a second.";
    return `Nothing received for ${seconds(silence)}, and it does not report that.`;
  }

  #observe(socket: Socket): Socket {
    this.#receivedAt = null;
    socket.addEventListener("message", () => (this.#receivedAt = performance.now()));
    socket.addEventListener("open", () => {
      this.#receivedAt = null;
      this.#log.add(`${this.#title}: open`);
    });
    socket.addEventListener("close", (event) => {
      const { code } = event as unknown as { readonly code: number }; // The events `close` of both have one.
      this.#log.add(`${this.#title}: close, code ${code}, no reason`);
    });
    return socket;
  }
}
