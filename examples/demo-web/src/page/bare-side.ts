// The browser's own WebSocket, for comparison: it reports OPEN until it receives something else.

import { element, say, seconds } from "./elements.js";
import type { EventLog } from "./event-log.js";

const STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];

/** Ticks arrive once a second. A longer silence is shown, because the WebSocket does not report it. */
const QUIET = 2_000;

export class BareSide {
  readonly #url: string;
  readonly #log: EventLog;
  readonly #state = element("bare-state", HTMLElement);
  readonly #detail = element("bare-detail", HTMLElement);
  readonly #reopen = element("bare-reopen", HTMLButtonElement);
  #socket: WebSocket;
  #lastTick: number | null = null;

  constructor(url: string, log: EventLog) {
    this.#url = url;
    this.#log = log;
    this.#socket = this.#open();
    this.#reopen.addEventListener("click", () => {
      this.#socket = this.#open();
      element("bare-title", HTMLElement).focus();
    });
  }

  show(now: number): void {
    const { readyState } = this.#socket;
    const isClosed = readyState === WebSocket.CLOSED;
    say(this.#state, STATES[readyState] ?? "–");
    this.#state.dataset["tone"] = isClosed ? "dead" : readyState === WebSocket.OPEN ? "good" : "waiting";
    say(this.#detail, this.#describe(now, isClosed));
    this.#reopen.hidden = !isClosed;
  }

  #describe(now: number, isClosed: boolean): string {
    if (isClosed) return "It stays closed: you have to reconnect yourself.";
    if (this.#lastTick === null) return "Nothing received yet.";
    const silence = now - this.#lastTick;
    if (silence < QUIET) return "Receives a tick every second.";
    return `Nothing received for ${seconds(silence)}, and the WebSocket does not report it.`;
  }

  #open(): WebSocket {
    const socket = new WebSocket(this.#url);
    this.#lastTick = null;
    socket.addEventListener("message", () => (this.#lastTick = performance.now()));
    socket.addEventListener("open", () => this.#log.add("Bare WebSocket: open"));
    socket.addEventListener("close", ({ code }) =>
      this.#log.add(`Bare WebSocket: close, code ${code}, no reason`),
    );
    return socket;
  }
}
