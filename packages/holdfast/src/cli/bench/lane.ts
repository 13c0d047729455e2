// One connection under load: tracks its messages in flight, and compares each echo with the sent message.

import { explain, type CloseInfo, type Connection, type Message } from "../../index.js";
import type { Payloads } from "./payload.js";
import type { Plan } from "./plan.js";
import { Ring } from "./ring.js";
import { NO_ECHO, type Tally } from "./tally.js";

export class Lane {
  readonly #connection: Connection;
  readonly #payloads: Payloads;
  readonly #plan: Plan;
  readonly #tally: Tally;
  /** For each message in flight, when it was due to be sent. */
  readonly #inFlight = new Ring();
  /** Connections start at different messages, so that an echo from another connection is detected. */
  readonly #offset: number;
  #sent = 0;
  #echoed = 0;
  /** When the wait for the next echo began. */
  #waitingSince = Infinity;

  constructor(connection: Connection, index: number, payloads: Payloads, plan: Plan, tally: Tally) {
    this.#connection = connection;
    this.#offset = index * 7;
    this.#payloads = payloads;
    this.#plan = plan;
    this.#tally = tally;
  }

  /** Resolves when the connection has ended. `onEcho` is called after each echo. */
  async read(onEcho: (lane: Lane) => void): Promise<CloseInfo> {
    return this.#connection.forEach((message) => {
      if (this.#accept(message)) onEcho(this);
    });
  }

  get hasRoom(): boolean {
    return this.isOpen && this.#inFlight.length < this.#plan.depth;
  }

  get isOpen(): boolean {
    return this.#connection.state === "open";
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** @param dueAt when the message was due to be sent */
  send(dueAt: number, now: number): void {
    if (this.#inFlight.length === 0) this.#waitingSince = now;
    this.#inFlight.push(dueAt);
    this.#tally.sent++;
    // `read` reports the end of the connection.
    this.#connection.send(this.#payloads.at(this.#offset + this.#sent++)).catch(() => undefined);
  }

  /** Ends the connection if its next echo is overdue. */
  checkTimeout(now: number): void {
    if (!this.isOpen || this.#inFlight.length === 0 || now - this.#waitingSince < this.#plan.timeout) return;
    const limit = `${this.#plan.timeout / 1000} s`;
    this.#tally.onProblem(NO_ECHO, `No echo arrived within ${limit}.`, this.#inFlight.length);
    this.#drop();
    this.#connection.terminate();
  }

  /** The connection ended while it was under load. */
  onEnd(info: CloseInfo): void {
    this.#tally.onProblem(info.cause, explain(info));
    this.#drop();
  }

  #drop(): void {
    while (this.#inFlight.length > 0) this.#inFlight.shift();
  }

  #accept(message: Message): boolean {
    const check =
      this.#inFlight.length === 0 ? "other" : this.#payloads.check(this.#offset + this.#echoed, message);
    if (check === "other") {
      this.#tally.others++;
      return false;
    }
    const now = performance.now();
    this.#echoed++;
    this.#waitingSince = now;
    const dueAt = this.#inFlight.shift();
    if (check === "changed") {
      this.#tally.onProblem("changed", "An echo differed from the sent message, or came out of order.");
    } else {
      this.#tally.echoed++;
      this.#tally.latencies.record(now - dueAt);
    }
    return true;
  }
}
