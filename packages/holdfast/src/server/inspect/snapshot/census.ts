// The totals of a server. It counts when somebody looks, and only then: rates are the differences of counters that the
// connections keep anyway.

import { coreOf, type Connection } from "../../../connection/connection.js";
import type { Clock } from "../../../connection/ports.js";
import type { History } from "../history.js";
import { LATENCY_BOUNDS, type Rates, type Totals } from "../wire.js";
import { stateOf, troubleOf } from "./measures.js";
import { rounded } from "./rows.js";

/** Milliseconds for which a census is good enough for all viewers. */
const FRESH_FOR = 500;
/** Rates over a longer time than this would hide what happens now. */
const LONGEST_PERIOD = 10_000;

type Counters = Rates;

export class Census {
  readonly #connections: ReadonlySet<Connection>;
  readonly #clock: Clock;
  readonly #memory: () => number;
  readonly #since: number;
  readonly #history: History;
  #previous: { readonly at: number; readonly counters: Counters } | null = null;
  #newest: { readonly at: number; readonly totals: Totals } | null = null;

  /**
   * @param since when the inspector was set up, in monotonic milliseconds
   * @param memory reads the resident memory of the process in bytes
   */
  constructor(
    connections: ReadonlySet<Connection>,
    history: History,
    clock: Clock,
    since: number,
    memory: () => number,
  ) {
    this.#connections = connections;
    this.#history = history;
    this.#clock = clock;
    this.#memory = memory;
    this.#since = since;
  }

  totals(): Totals {
    const now = this.#clock.now();
    if (this.#newest !== null && now - this.#newest.at < FRESH_FOR) return this.#newest.totals;
    const totals = this.#count(now);
    this.#newest = { at: now, totals };
    return totals;
  }

  #count(now: number): Totals {
    const counters = { ...this.#history.past };
    const sums = { troubled: 0, paused: 0, closing: 0, detached: 0, buffered: 0, unread: 0 };
    const histogram = new Array<number>(LATENCY_BOUNDS.length + 1).fill(0);
    const latencies = new Float64Array(this.#connections.size);
    let measured = 0;
    for (const connection of this.#connections) {
      const core = coreOf(connection);
      const { traffic, bufferedAmount } = core;
      counters.messagesReceived += traffic.messagesReceived;
      counters.messagesSent += traffic.messagesSent;
      counters.bytesReceived += traffic.bytesReceived;
      counters.bytesSent += traffic.bytesSent;
      sums.buffered += bufferedAmount;
      sums.unread += core.inbox.length;
      const state = stateOf(core);
      if (state !== "open") sums[state]++;
      if (troubleOf(core, now) > 1) sums.troubled++;
      if (core.pauseReasons.length > 0) sums.paused++;
      const { latency } = core.keepalive;
      if (latency === null) continue;
      latencies[measured++] = latency;
      histogram[bucketOf(latency)]++;
    }
    return {
      at: this.#clock.wallNow(),
      uptime: Math.round(now - this.#since),
      connections: this.#connections.size,
      opened: counters.opened,
      ended: counters.ended,
      ...sums,
      memory: this.#memory(),
      latency: distributionOf(latencies.subarray(0, measured).sort()),
      histogram,
      rates: this.#ratesSince(now, counters),
    };
  }

  #ratesSince(now: number, counters: Counters): Rates | null {
    const previous = this.#previous;
    this.#previous = { at: now, counters };
    if (previous === null || now - previous.at > LONGEST_PERIOD) return null;
    const seconds = (now - previous.at) / 1_000;
    // The counters of a session begin again with each of its sockets, so that a sum can become smaller.
    const rate = (name: keyof Counters): number =>
      rounded(Math.max(0, counters[name] - previous.counters[name]) / seconds);
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
