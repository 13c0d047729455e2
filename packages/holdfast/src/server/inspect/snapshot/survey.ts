// Looks at the connections when somebody asks, and only then. One pass serves the totals and the rows. It reads
// thousands of objects that are in no cache, so that its result is used for as long as another pass would cost too much.

import type { Connection } from "../../../connection/connection.js";
import { coreOf } from "../../../connection/core-of.js";
import type { Clock } from "../../../connection/ports.js";
import type { Query, RowWindow, Totals } from "../wire.js";
import type { Census, Count } from "./census.js";
import { Reading } from "./reading.js";
import { rowOf, Selector, type TopicNames } from "./rows.js";
import { inSlices } from "./slices.js";

/** Milliseconds for which totals are good enough for all viewers. */
const FRESH_FOR = 500;
/** Milliseconds after which a choice that nobody uses is dropped. */
const KEPT_FOR = 10_000;
/** The share of a core that the passes for all viewers may use. */
const SHARE = 0.02;
/** Milliseconds: a pass that takes less is always repeated. */
const CHEAP = 5;

/** The rows that a viewer sees, without their figures. */
interface Choice {
  readonly query: string;
  readonly total: number;
  readonly connections: readonly Connection[];
  /** When the next look chooses again, in monotonic milliseconds. */
  readonly until: number;
}

export class Survey {
  readonly #connections: ReadonlySet<Connection>;
  readonly #topicsOf: TopicNames;
  readonly #clock: Clock;
  readonly #census: Census;
  /** By viewer. */
  readonly #choices = new Map<string, Choice>();
  #totals: { readonly totals: Totals; readonly until: number } | null = null;
  /** The pass that counts. */
  #counting: Promise<void> | null = null;
  /** Milliseconds for which the result of a pass is used. */
  #lasts = 0;

  constructor(connections: ReadonlySet<Connection>, topicsOf: TopicNames, clock: Clock, census: Census) {
    this.#connections = connections;
    this.#topicsOf = topicsOf;
    this.#clock = clock;
    this.#census = census;
  }

  async totals(): Promise<Totals> {
    const { totals } = await this.#freshTotals();
    return totals;
  }

  async window(query: Query, viewer: string): Promise<RowWindow> {
    const text = JSON.stringify(query);
    let choice = this.#choices.get(viewer);
    if (choice?.query !== text || this.#clock.now() >= choice.until) {
      choice = await this.#choose(query, text);
      this.#keep(viewer, choice);
    }
    const now = this.#clock.now();
    const rows = choice.connections.filter((connection) => this.#connections.has(connection));
    return {
      view: "connections",
      total: choice.total,
      offset: query.offset,
      connections: rows.map((connection) => rowOf(connection, this.#topicsOf, now)),
      endings: [],
    };
  }

  /** The viewer has left. */
  forget(viewer: string): void {
    this.#choices.delete(viewer);
  }

  #keep(viewer: string, choice: Choice): void {
    const now = this.#clock.now();
    if (choice.until > now) this.#choices.set(viewer, choice);
    else this.#choices.delete(viewer);
    // The viewers of other processes do not report that they leave.
    for (const [key, { until }] of this.#choices) if (until + KEPT_FOR < now) this.#choices.delete(key);
  }

  async #freshTotals(): Promise<{ readonly totals: Totals }> {
    if (this.#counting !== null) await this.#counting;
    else if (this.#areTotalsOld) await this.#count(null);
    return this.#totals ?? this.#freshTotals(); // The pass before may have failed.
  }

  get #areTotalsOld(): boolean {
    return this.#totals === null || this.#clock.now() >= this.#totals.until;
  }

  async #choose(query: Query, text: string): Promise<Choice> {
    const selector = new Selector(query, this.#topicsOf, this.#clock.now(), this.#connections.size);
    if (this.#areTotalsOld && this.#counting === null) await this.#count(selector);
    else await this.#pass(selector, null);
    const until = this.#clock.now() + this.#lasts * Math.max(1, this.#choices.size);
    return { query: text, total: selector.total, connections: selector.pick(), until };
  }

  async #count(selector: Selector | null): Promise<void> {
    const counting = this.#takeTotals(selector);
    this.#counting = counting;
    try {
      await counting;
    } finally {
      this.#counting = null;
    }
  }

  async #takeTotals(selector: Selector | null): Promise<void> {
    const began = this.#clock.now();
    const { size } = this.#connections;
    const count = this.#census.begin(size);
    await this.#pass(selector, count);
    const totals = this.#census.totals(count, size, began);
    this.#totals = { totals, until: this.#clock.now() + Math.max(FRESH_FOR, this.#lasts) };
  }

  async #pass(selector: Selector | null, count: Count | null): Promise<void> {
    const now = this.#clock.now();
    const reading = new Reading();
    // Connections that open from now on belong to the next pass.
    const cost = await inSlices(Array.from(this.#connections), (connection) => {
      const core = coreOf(connection);
      count?.addTraffic(core.traffic);
      if (core.hasEnded) return;
      reading.read(core, now);
      count?.add(reading);
      selector?.add(connection, core, reading);
    });
    this.#lasts = cost < CHEAP ? 0 : cost / SHARE;
  }
}
