// The rows of connections: which match a query, in which order, and what each shows.

import type { Connection } from "../../../connection/connection.js";
import { coreOf } from "../../../connection/core-of.js";
import type { ConnectionCore } from "../../../connection/connection-core.js";
import type { ConnectionRow, Query, Selection, SortKey } from "../wire.js";
import { addressOf, pathOf } from "../identity.js";
import { addressKey } from "./address-key.js";
import { pickWindow } from "./pick.js";
import { overdueBy, stateOf, suspicionOf, type Reading } from "./reading.js";

/** The topics, by name, that a connection subscribes to; empty without topics. */
export type TopicNames = (connection: Connection) => ReadonlyMap<string, unknown>;

/** Round trips that a row shows. */
const SAMPLES = 16;
/** Topics that a row shows, and characters of each. */
const TOPICS = 3;
const SHOWN_OF_TOPIC = 40;

/** Chooses the connections of a window, in a pass over all of them. */
export class Selector {
  readonly #query: Query;
  readonly #filter: string;
  readonly #topicsOf: TopicNames;
  readonly #now: number;
  readonly #matching: Connection[] = [];
  readonly #keys: Float64Array;

  /** @param most connections that will be added at most */
  constructor(query: Query, topicsOf: TopicNames, now: number, most: number) {
    this.#query = query;
    this.#filter = query.filter.toLowerCase();
    this.#topicsOf = topicsOf;
    this.#now = now;
    this.#keys = new Float64Array(most);
  }

  add(connection: Connection, core: ConnectionCore, reading: Reading): void {
    const { only, sort, descending } = this.#query;
    if (only !== "all" && !isSelected(core, reading, only)) return;
    if (this.#filter !== "" && !this.#contains(connection)) return;
    const key = KEYS[sort](reading, core, connection, this.#now, this.#topicsOf);
    // Rows without a value come last in both orders.
    this.#keys[this.#matching.length] = key === null ? Infinity : descending ? -key : key;
    this.#matching.push(connection);
  }

  get total(): number {
    return this.#matching.length;
  }

  pick(): readonly Connection[] {
    const { offset, limit } = this.#query;
    return pickWindow(this.#matching, this.#keys.subarray(0, this.total), offset, limit);
  }

  #contains(connection: Connection): boolean {
    return textsOf(connection, this.#topicsOf).some((text) => text.toLowerCase().includes(this.#filter));
  }
}

function isSelected(core: ConnectionCore, reading: Reading, only: Exclude<Selection, "all">): boolean {
  switch (only) {
    case "trouble":
      return reading.trouble > 1;
    case "paused":
      return reading.isPaused;
    case "closing":
      return reading.state === "closing";
    case "sessions":
      return core.session !== null;
  }
}

function textsOf(connection: Connection, topicsOf: TopicNames): readonly string[] {
  return [
    connection.id,
    addressOf(connection) ?? "",
    pathOf(connection),
    connection.session?.id ?? "",
    ...topicsOf(connection).keys(),
  ];
}

type KeyOf = (
  reading: Reading,
  core: ConnectionCore,
  connection: Connection,
  now: number,
  topicsOf: TopicNames,
) => number | null;

const KEYS: Readonly<Record<SortKey, KeyOf>> = {
  trouble: ({ trouble, overdue, buffered }, core) =>
    trouble === 0 ? 0 : trouble * 1e12 + Math.min(overdue * 1e3 + buffered + core.inbox.bytes, 9e11),
  age: (_reading, core, _connection, now) => now - core.openedAt,
  state: ({ state }) => ["open", "detached", "closing"].indexOf(state),
  address: (_reading, _core, connection) => addressKey(connection),
  latency: ({ latency }) => latency,
  jitter: (_reading, core) => core.keepalive.statistics?.jitter ?? null,
  buffered: ({ buffered }) => buffered,
  unread: ({ unread }, core) => core.inbox.bytes + unread,
  topics: (_reading, _core, connection, _now, topicsOf) => topicsOf(connection).size,
};

export function rowOf(connection: Connection, topicsOf: TopicNames, now: number): ConnectionRow {
  const core = coreOf(connection);
  const { statistics, latency } = core.keepalive;
  const topics = topicsOf(connection);
  const samples = statistics?.newest(SAMPLES).map(rounded) ?? [];
  const { pauseReasons } = core;
  // JSON leaves out fields that are undefined.
  return {
    id: connection.id,
    state: stateOf(core),
    address: addressOf(connection) ?? undefined,
    path: pathOf(connection),
    age: Math.round(now - core.openedAt),
    latency: latency === null ? undefined : rounded(latency),
    jitter: optional(rounded(statistics?.jitter ?? 0)),
    samples: samples.length > 1 ? samples : undefined,
    overdue: optional(Math.round(overdueBy(core, now))),
    suspicion: suspicionOf(core) ?? undefined,
    buffered: optional(core.bufferedAmount),
    unread: optional(core.inbox.length),
    paused: pauseReasons.length === 0 ? undefined : pauseReasons,
    session: connection.session?.id,
    topics: topics.size === 0 ? undefined : firstOf(topics),
    topicCount: optional(topics.size),
  };
}

function optional(value: number): number | undefined {
  return value === 0 ? undefined : value;
}

function firstOf(topics: ReadonlyMap<string, unknown>): readonly string[] {
  return Array.from(topics.keys())
    .slice(0, TOPICS)
    .map((name) => name.slice(0, SHOWN_OF_TOPIC));
}

/** To three digits: more would only make the messages longer. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
