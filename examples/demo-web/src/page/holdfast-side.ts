// The Holdfast connection of this page, and what it reports about itself.

import {
  connectPersistent,
  explain,
  type CloseInfo,
  type Connection,
  type PersistentStatus,
} from "holdfast/browser";
import { element, milliseconds, say, seconds } from "./elements.js";
import type { EventLog } from "./event-log.js";
import { LatencyChart } from "./latency-chart.js";

const PING_INTERVAL = 1_000;
const PING_TIMEOUT = 2_000;

/** Screen readers would read a summary that changes more often than this all the time. */
const SUMMARY_EVERY = 5_000;

export class HoldfastSide {
  readonly #log: EventLog;
  readonly #chart = new LatencyChart(element("chart", SVGSVGElement));
  readonly #state = element("holdfast-state", HTMLElement);
  readonly #detail = element("holdfast-detail", HTMLElement);
  readonly #link;
  /** On the clock of `performance.now()`. */
  #lastPong: number | null = null;
  #lostAt: number | null = null;
  #summarisedAt = -Infinity;

  constructor(url: string, log: EventLog) {
    this.#log = log;
    this.#link = connectPersistent(url, {
      linkProtocol: "required",
      pingInterval: PING_INTERVAL,
      pingTimeout: PING_TIMEOUT,
      // For the demo: reconnect soon and often.
      openTimeout: 2_000,
      closeTimeout: 1_000,
      firstDelay: 500,
      maxDelay: 1_000,
    });
    void this.#link.forEach(() => undefined);
    this.#link.on("open", ({ connection }) => this.#observe(connection));
    this.#link.on("status", (status) => this.#tell(status));
    this.#link.on("disconnected", ({ info }) => this.#explain(info));
  }

  show(now: number): void {
    const { status } = this.#link;
    const silence = this.#lastPong === null ? 0 : now - this.#lastPong;
    const isOpen = status.state === "open" && this.#lostAt === null;
    const isLate = isOpen && silence > PING_INTERVAL + 400;
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
    this.#showStatistics(now);
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

  #showStatistics(now: number): void {
    const { last, p50, p95, jitter, answered, lost } = this.#link.latencyStats;
    const figures = { last, median: p50, "95 %": p95, jitter };
    const entries = [
      ...Object.entries(figures).map(([name, value]) => [name, milliseconds(value)] as const),
      ["answered", String(answered)] as const,
      ["lost", String(lost)] as const,
    ];
    element("statistics", HTMLDListElement).replaceChildren(...entries.map(figure));
    if (now - this.#summarisedAt < SUMMARY_EVERY || last === null) return;
    this.#summarisedAt = now;
    say(
      element("chart-summary", HTMLElement),
      `Round trips of the last minute, newest ${milliseconds(last)}, median ${milliseconds(p50)}.`,
    );
  }
}

function figure([name, value]: readonly [string, string]): HTMLElement {
  const group = document.createElement("div");
  const term = document.createElement("dt");
  const description = document.createElement("dd");
  term.textContent = name;
  description.textContent = value;
  group.append(term, description);
  return group;
}
