// A counted stream over two links that reconnect, one with a session and one without: which numbers are missing?

import { connectPersistent, type PersistentConnection } from "holdfast/browser";
import { element, say } from "./elements.js";
import type { EventLog } from "./event-log.js";

export class CountedStream {
  readonly #links: readonly CountedLink[];

  constructor(url: string, log: EventLog) {
    this.#links = [new CountedLink("session", url, true), new CountedLink("plain", url, false)];
    const [{ link }] = this.#links as readonly [CountedLink, CountedLink];
    link.on("detached", () => log.add("Session: detached; the server keeps the numbers"));
    link.on("resumed", ({ replayedIn }) => log.add(`Session: resumed; ${replayedIn} numbers are sent again`));
    link.on("lost", ({ reason }) => log.add(`Session: lost: ${reason}`));
  }

  show(): void {
    for (const link of this.#links) link.show();
  }
}

class CountedLink {
  readonly link: PersistentConnection;
  readonly #name: string;
  #received = 0;
  #missing = 0;
  #repeated = 0;
  /** The newest number; null before the first. */
  #newest: number | null = null;

  /** `name` begins the ids of its cells. */
  constructor(name: string, url: string, session: boolean) {
    this.#name = name;
    this.link = connectPersistent(url, {
      session,
      linkProtocol: "required",
      pingInterval: 1_000,
      pingTimeout: 2_000,
      // For the demo: reconnect soon and often. The time without a socket is long enough for some numbers.
      openTimeout: 2_000,
      closeTimeout: 1_000,
      minDelay: 500,
      firstDelay: 500,
      maxDelay: 1_000,
    });
    void this.link.forEach((message) => this.#count(Number(message)));
  }

  show(): void {
    this.#say("received", this.#received, "");
    this.#say("missing", this.#missing, this.#missing === 0 ? "good" : "dead");
    this.#say("repeated", this.#repeated, this.#repeated === 0 ? "good" : "dead");
  }

  #count(number: number): void {
    const expected = (this.#newest ?? number - 1) + 1;
    this.#received++;
    this.#missing += Math.max(0, number - expected);
    if (number < expected) this.#repeated++;
    else this.#newest = number;
  }

  #say(what: string, value: number, tone: string): void {
    const cell = element(`${this.#name}-${what}`, HTMLElement);
    say(cell, String(value));
    cell.dataset["tone"] = tone;
  }
}
