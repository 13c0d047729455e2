// The rows of connections: which match a query, in which order, and what each shows.

import { coreOf, type Connection } from "../../../connection/connection.js";
import type { ConnectionCore } from "../../../connection/connection-core.js";
import type { ConnectionRow, Query, RowWindow, Selection, SortKey } from "../wire.js";
import { addressOf, pathOf } from "../identity.js";
import { addressKey, overdueBy, stateOf, suspicionOf, troubleOf } from "./measures.js";
import { pickWindow } from "./pick.js";

/** The topics, by name, that a connection subscribes to; empty without topics. */
export type TopicNames = (connection: Connection) => ReadonlyMap<string, unknown>;

/** Round trips that a row shows. */
const SAMPLES = 16;
/** Topics that a row shows, and characters of each. */
const TOPICS = 3;
const SHOWN_OF_TOPIC = 40;

export function connectionWindow(
  connections: ReadonlySet<Connection>,
  query: Query,
  topicsOf: TopicNames,
  now: number,
): RowWindow {
  const matching: Connection[] = [];
  const filter = query.filter.toLowerCase();
  for (const connection of connections) {
    if (query.only !== "all" && !isSelected(coreOf(connection), query.only, now)) continue;
    if (filter === "" || textsOf(connection, topicsOf).some((text) => text.toLowerCase().includes(filter)))
      matching.push(connection);
  }
  const keyOf = KEYS[query.sort];
  const sign = query.descending ? -1 : 1;
  const keys = Float64Array.from(matching, (connection) => {
    const key = keyOf(coreOf(connection), connection, now, topicsOf);
    return key === null ? Infinity : sign * key; // Rows without a value come last in both orders.
  });
  const rows = pickWindow(matching, keys, query.offset, query.limit);
  return {
    view: "connections",
    total: matching.length,
    offset: query.offset,
    connections: rows.map((connection) => rowOf(connection, topicsOf, now)),
    endings: [],
  };
}

function isSelected(core: ConnectionCore, only: Exclude<Selection, "all">, now: number): boolean {
  switch (only) {
    case "trouble":
      return troubleOf(core, now) > 1;
    case "paused":
      return core.pauseReasons.length > 0;
    case "closing":
      return stateOf(core) === "closing";
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
  core: ConnectionCore,
  connection: Connection,
  now: number,
  topicsOf: TopicNames,
) => number | null;

const KEYS: Readonly<Record<SortKey, KeyOf>> = {
  trouble: (core, _connection, now) => {
    const level = troubleOf(core, now);
    if (level === 0) return 0;
    return level * 1e12 + Math.min(overdueBy(core, now) * 1e3 + core.bufferedAmount + core.inbox.bytes, 9e11);
  },
  age: (core, _connection, now) => now - core.openedAt,
  state: (core) => ["open", "detached", "closing"].indexOf(stateOf(core)),
  address: (_core, connection) => {
    const key = addressKey(connection);
    return key === Infinity ? null : key;
  },
  latency: (core) => core.keepalive.latency,
  jitter: (core) => core.keepalive.statistics?.jitter ?? null,
  buffered: (core) => core.bufferedAmount,
  unread: (core) => core.inbox.bytes + core.inbox.length,
  topics: (_core, connection, _now, topicsOf) => topicsOf(connection).size,
};

function rowOf(connection: Connection, topicsOf: TopicNames, now: number): ConnectionRow {
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
