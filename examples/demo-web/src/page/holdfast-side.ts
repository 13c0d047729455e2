// The Holdfast connection of this page, and what it reports about itself.

import { explain, type CloseInfo, type Connection, type PersistentStatus } from "holdfast/browser";
import { openHoldfast } from "./clients/holdfast.js";
import { element, milliseconds, say, seconds } from "./elements.js";
import type { EventLog } from "./event-log.js";
import { LatencyChart } from "./latency-chart.js";
import { showLatency } from "./latency-figures.js";
import type { Tally } from "./tally.js";

/** Milliseconds without a pong after which one is late: `pingInterval`, and some time for the answer. */
const LATE = 1_400;

export class HoldfastSide {
  readonly #log: EventLog;
  readonly #chart = new LatencyChart(element("chart", SVGSVGElement));
  readonly #state = element("holdfast-state", HTMLElement);
  readonly #detail = element("holdfast-detail", HTMLElement);
  readonly #link;
  /** On the clock of `performance.now()`. */
  #lastPong: number | null = null;
  #lostAt: number | null = null;
  /** The server keeps the numbers for the session. */
  readonly isDown = false;

  constructor(url: string, tally: Tally, log: EventLog) {
    this.#log = log;
    this.#link = openHoldfast(url, (number) => tally.add(number));
    this.#link.on("open", ({ connection }) => this.#observe(connection));
    this.#link.on("status", (status) => this.#tell(status));
    this.#link.on("disconnected", ({ info }) => this.#explain(info));
    this.#link.on("detached", () => log.add("Session: detached; the server keeps the numbers"));
    this.#link.on("resumed", ({ replayedIn }) =>
      log.add(`Session: resumed; ${replayedIn} numbers are sent again`),
    );
    this.#link.on("lost", ({ reason }) => log.add(`Session: lost: ${reason}`));
  }

  show(now: number): void {
    const { status } = this.#link;
    const silence = this.#lastPong === null ? 0 : now - this.#lastPong;
    const isOpen = status.state === "open" && this.#lostAt === null;
    const isLate = isOpen && silence > LATE;
    if (isLate && this.#lastPong !== null) this.#chart.mark("late", this.#lastPong, now);
    if (this.#lostAt !== null) this.#chart.mark("dead", this.#lostAt, now);

    const [word, tone] = isLate
      ? ["NO ANSWER YET", "late"]
      : isOpen
        ? ["ALIVE", "good"]
        : this.#lostAt === null
          ? ["CONNECTING", "waiting"]
          : ["DEAD", "dead"];
    say(this.#state, word);
    this.#state.dataset["tone"] = tone;
    say(this.#detail, this.#describe(status, isLate ? silence : null));
    this.#chart.draw(now);
    showLatency(this.#link.latencyStats);
  }

  #observe(connection: Connection): void {
    this.#lastPong = performance.now();
    if (this.#lostAt !== null) this.#chart.mark("dead", this.#lostAt, this.#lastPong);
    this.#lostAt = null;
    connection.on("pong", ({ roundTrip }) => {
      this.#lastPong = performance.now();
      if (roundTrip !== null) this.#chart.add(this.#lastPong, roundTrip);
    });
    connection.on("overdue", ({ elapsed }) => {
      this.#log.add(`Holdfast: overdue: no answer to a ping after ${seconds(elapsed)}`);
    });
    connection.on("suspended", ({ gap }) => {
      this.#log.add(
        `Holdfast: suspended: this page did not run for ${seconds(gap)}; this does not count against the peer`,
      );
    });
  }

  #tell(status: PersistentStatus): void {
    if (status.state === "open") this.#log.add("Holdfast: open");
    if (status.state === "waiting") this.#log.add(`Holdfast: next attempt in ${milliseconds(status.delay)}`);
  }

  #explain(info: CloseInfo): void {
    this.#log.add(`Holdfast: disconnected: ${info.cause}`);
    if (this.#lostAt !== null) return; // One of many attempts; the verdict is more interesting.
    this.#lostAt = performance.now();
    const cause = document.createElement("p");
    cause.className = "cause";
    cause.textContent = info.cause;
    const advice = document.createElement("p");
    advice.textContent = explain(info);
    element("verdict-text", HTMLElement).replaceChildren(cause, advice);
    this.show(this.#lostAt);
  }

  #describe(status: PersistentStatus, silence: number | null): string {
    if (silence !== null) return `The last pong came ${seconds(silence)} ago.`;
    if (status.state === "open") return `The last ping took ${milliseconds(this.#link.latency)}.`;
    if (status.state === "waiting") return `Next attempt in ${milliseconds(status.delay)}.`;
    return status.state === "connecting" ? `Connecting, attempt ${status.attempt}.` : "";
  }
}
