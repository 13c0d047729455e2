// Runs in a page or a worker: sends numbered messages on a persistent connection with a session, and checks those that
// arrive. It has no import of code but the one next to it, so that a page can load it as it is.

import type { ConnectPersistentOptions, PersistentConnection } from "holdfast/browser";
import { messageOf, PAUSE, Tally, type Faults, type TallyState } from "./counted.js";

/** The messages that are sent between two pauses. */
const BURST = 8;

export class PageStream {
  readonly connection: PersistentConnection;
  readonly tally = new Tally();
  readonly events: string[] = [];
  sent = 0;
  #isStopping = false;
  #stopped: Promise<void> = Promise.resolve();

  constructor(
    connect: (url: string, options: ConnectPersistentOptions) => PersistentConnection,
    url: string,
    options: ConnectPersistentOptions,
  ) {
    this.connection = connect(url, { session: true, ...options });
    // Connects again at once, so that many cuts fit into a check.
    this.connection.on("status", ({ state }) => {
      if (state === "waiting") setTimeout(() => this.connection.probe(), 5);
    });
    for (const name of ["suspect", "detached", "resumed", "lost"] as const) {
      this.connection.on(name, (event) =>
        this.events.push(name === "lost" ? `lost ${JSON.stringify(event)}` : name),
      );
    }
    void this.connection
      .forEach((message) => this.tally.take(message))
      .catch((error: unknown) => {
        this.events.push(`ended: ${String(error)}`);
      });
  }

  /** Continues the stream of an earlier page of this tab, and saves its own state for the next one. */
  continueFrom(key: string): void {
    const saved = sessionStorage.getItem(key);
    if (saved !== null) {
      const state = JSON.parse(saved) as { readonly sent: number; readonly tally: TallyState };
      this.sent = state.sent;
      this.tally.restore(state.tally);
    }
    addEventListener("pagehide", () => {
      this.#isStopping = true;
      sessionStorage.setItem(key, JSON.stringify({ sent: this.sent, tally: this.tally.save() }));
    });
  }

  /** Sends messages until `stop()`. */
  start(): void {
    this.#isStopping = false;
    this.#stopped = this.#send();
  }

  /** Stops sending. Resolves with the number of messages sent, once the server has confirmed them. */
  async stop(): Promise<number> {
    this.#isStopping = true;
    await this.#stopped;
    await this.connection.send(messageOf(++this.sent), { until: "delivered" });
    return this.sent;
  }

  faults(sent: number): Faults {
    return this.tally.faults(sent);
  }

  async #send(): Promise<void> {
    while (!this.#isStopping) {
      await this.connection.send(messageOf(++this.sent));
      if (this.sent % BURST === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
