// The totals of a server: rates are the differences of counters that the connections keep anyway.

import type { Traffic } from "../../../connection/close-info.js";
import type { Clock } from "../../../connection/ports.js";
import type { History } from "../history.js";
import { LATENCY_BOUNDS, type Rates, type Totals } from "../wire.js";
import type { Reading } from "./reading.js";
import { rounded } from "./rows.js";

/** Rates over a longer time than this would hide what happens now. */
const LONGEST_PERIOD = 60_000;

type Counters = { -readonly [Name in keyof Rates]: number };

/** Adds the connections up. */
export class Count {
  readonly counters: Counters;
  readonly sums = { troubled: 0, paused: 0, closing: 0, detached: 0, buffered: 0, unread: 0 };
  readonly histogram = new Array<number>(LATENCY_BOUNDS.length + 1).fill(0);
  readonly #latencies: Float64Array;
  #measured = 0;

  /**
   * @param past the counters of the connections that have ended. It is copied: the traffic of one that ends during the
   *   pass is added by the pass.
   * @param most connections that will be added at most
   */
  constructor(past: Rates, most: number) {
    this.counters = { ...past };
    this.#latencies = new Float64Array(most);
  }

  addTraffic({ messagesReceived, messagesSent, bytesReceived, bytesSent }: Traffic): void {
    const { counters } = this;
    counters.messagesReceived += messagesReceived;
    counters.messagesSent += messagesSent;
    counters.bytesReceived += bytesReceived;
    counters.bytesSent += bytesSent;
  }

  add(reading: Reading): void {
    const { sums } = this;
    const { state, latency } = reading;
    sums.buffered += reading.buffered;
    sums.unread += reading.unread;
    if (state !== "open") sums[state]++;
    if (reading.trouble > 1) sums.troubled++;
    if (reading.isPaused) sums.paused++;
    if (latency === null) return;
    this.#latencies[this.#measured++] = latency;
    this.histogram[bucketOf(latency)]++;
  }

  latency(): Totals["latency"] {
    return distributionOf(this.#latencies.subarray(0, this.#measured).sort());
  }
}

export class Census {
  readonly #clock: Clock;
  readonly #memory: () => number;
  readonly #since: number;
  readonly #history: History;
  #previous: { readonly at: number; readonly counters: Counters } | null = null;

  /**
   * @param since when the inspector was set up, in monotonic milliseconds
   * @param memory reads the resident memory of the process in bytes
   */
  constructor(history: History, clock: Clock, since: number, memory: () => number) {
    this.#history = history;
    this.#clock = clock;
    this.#memory = memory;
    this.#since = since;
  }

  begin(most: number): Count {
    return new Count(this.#history.past, most);
  }

  /** @param at when the count began, in monotonic milliseconds */
  totals(count: Count, connections: number, at: number): Totals {
    const { counters, sums, histogram } = count;
    return {
      at: this.#clock.wallNow(),
      uptime: Math.round(at - this.#since),
      connections,
      opened: counters.opened,
      ended: counters.ended,
      ...sums,
      memory: this.#memory(),
      latency: count.latency(),
      histogram,
      rates: this.#ratesSince(at, counters),
    };
  }

  #ratesSince(now: number, counters: Counters): Rates | null {
    const previous = this.#previous;
    this.#previous = { at: now, counters };
    if (previous === null || now - previous.at > LONGEST_PERIOD) return null;
    const seconds = (now - previous.at) / 1_000;
    const rate = (name: keyof Counters): number =>
      rounded((counters[name] - previous.counters[name]) / seconds);
    return {
      opened: rate("opened"),
      ended: rate("ended"),
      messagesReceived: rate("messagesReceived"),
      messagesSent: rate("messagesSent"),
      bytesReceived: rate("bytesReceived"),
      bytesSent: rate("bytesSent"),
    };
  }
}

function bucketOf(latency: number): number {
  let index = 0;
  while (index < LATENCY_BOUNDS.length && latency >= LATENCY_BOUNDS[index]) index++;
  return index;
}

/** Nearest rank. */
function distributionOf(sorted: Float64Array): Totals["latency"] {
  const { length } = sorted;
  if (length === 0) return null;
  const at = (share: number): number => rounded(sorted[Math.ceil(share * length) - 1]);
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
