// The messages of the inspector's stream: JSON texts. The client asks, and the server answers each request with the same
// `id`. The page, `holdfast inspect` and the processes of a cluster use the same form. docs/inspector.md describes it.

/** The columns that rows can be sorted by. */
export const SORT_KEYS = [
  "trouble",
  "age",
  "state",
  "address",
  "latency",
  "jitter",
  "buffered",
  "unread",
  "topics",
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** The connections that a query selects. */
export const SELECTIONS = ["all", "trouble", "paused", "closing", "sessions"] as const;
export type Selection = (typeof SELECTIONS)[number];

export const VIEWS = ["connections", "endings"] as const;
export type View = (typeof VIEWS)[number];

export const ACTIONS = ["ping", "close", "terminate", "watch", "unwatch"] as const;
export type ActionName = (typeof ACTIONS)[number];

/** The rows of a snapshot: a window of those that match, sorted. */
export interface Query {
  readonly view: View;
  readonly sort: SortKey;
  readonly descending: boolean;
  readonly only: Selection;
  /** A part of the id, address, path, session, topic, cause or reason, in any case; "" for all rows. */
  readonly filter: string;
  readonly offset: number;
  readonly limit: number;
}

/** Requests a snapshot. */
export interface LookRequest {
  readonly type: "look";
  readonly id: number;
  /** The process whose rows are shown; null for the one that serves the stream. */
  readonly process: string | null;
  readonly query: Query;
}

/** Requests the explanation of an ending. */
export interface ExplainRequest {
  readonly type: "explain";
  readonly id: number;
  readonly process: string | null;
  readonly ending: number;
}

/** Requests an action. */
export interface ActRequest {
  readonly type: "act";
  readonly id: number;
  readonly process: string | null;
  readonly action: ActionName;
  /** The id of the connection. */
  readonly connection: string;
}

export type InspectRequest = ActRequest | ExplainRequest | LookRequest;

export interface SnapshotAnswer {
  readonly type: "snapshot";
  readonly id: number;
  /** The viewer, as `authorize` names them; null if it does not. */
  readonly who: string | null;
  /** Whether this viewer may act. */
  readonly actions: boolean;
  /** The process that serves the stream comes first. */
  readonly processes: readonly ProcessSummary[];
  /** The process whose rows these are. */
  readonly process: string;
  readonly window: RowWindow;
  readonly watch: WatchedFrames | null;
}

export interface ExplanationAnswer {
  readonly type: "explanation";
  readonly id: number;
  readonly text: string;
}

export interface ActedAnswer {
  readonly type: "acted";
  readonly id: number;
  readonly text: string;
}

/** A request failed; the stream continues. */
export interface FailedAnswer {
  readonly type: "failed";
  readonly id: number;
  readonly text: string;
}

export type InspectAnswer = ActedAnswer | ExplanationAnswer | FailedAnswer | SnapshotAnswer;

/** One process that serves connections. */
export interface ProcessSummary {
  readonly id: string;
  /** Host and process id. */
  readonly name: string;
  /** Why there are no numbers; null if there are. */
  readonly error: string | null;
  readonly totals: Totals | null;
}

/** Times in milliseconds, sizes in bytes. */
export interface Totals {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds since the inspector was set up. */
  readonly uptime: number;
  readonly connections: number;
  readonly opened: number;
  readonly ended: number;
  readonly troubled: number;
  readonly paused: number;
  readonly closing: number;
  readonly detached: number;
  readonly buffered: number;
  readonly unread: number;
  /** Resident memory of the process. */
  readonly memory: number;
  /** Of the newest round trips of the connections; null without any. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly max: number } | null;
  /** How many connections' newest round trip was below each of `LATENCY_BOUNDS`, and not below the one before. */
  readonly histogram: readonly number[];
  /** Per second, since the census before; null for the first one. */
  readonly rates: Rates | null;
}

export interface Rates {
  readonly opened: number;
  readonly ended: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** Milliseconds; a last bucket counts everything from the last bound on. */
export const LATENCY_BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] as const;

export interface RowWindow {
  readonly view: View;
  /** Rows that match. */
  readonly total: number;
  readonly offset: number;
  readonly connections: readonly ConnectionRow[];
  readonly endings: readonly EndingRow[];
}

/** Absent fields are null, 0, false or empty. */
export interface ConnectionRow {
  readonly id: string;
  readonly state: "closing" | "detached" | "open";
  readonly address?: string | undefined;
  /** Without the query. */
  readonly path: string;
  /** Milliseconds. */
  readonly age: number;
  readonly latency?: number | undefined;
  readonly jitter?: number | undefined;
  /** The newest round trips, the oldest of them first. */
  readonly samples?: readonly number[] | undefined;
  /** Milliseconds for which the oldest ping has waited, if that is longer than expected. */
  readonly overdue?: number | undefined;
  /** Of adaptive detection. */
  readonly suspicion?: number | undefined;
  readonly buffered?: number | undefined;
  readonly unread?: number | undefined;
  /** Why reading is paused. */
  readonly paused?: readonly string[] | undefined;
  readonly session?: string | undefined;
  /** The first topics that it subscribes to. */
  readonly topics?: readonly string[] | undefined;
  /** The number of all of them. */
  readonly topicCount?: number | undefined;
}

export interface EndingRow {
  /** Counts up: the newest ending has the highest number. */
  readonly number: number;
  readonly id: string;
  readonly address: string | null;
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds for which the connection was open. */
  readonly age: number;
  readonly ok: boolean;
  readonly code: number;
  readonly reason: string;
  readonly cause: string;
}

/** The frames of one connection, for a limited time. */
export interface WatchedFrames {
  readonly connection: string;
  /** Milliseconds left; 0 at the end. */
  readonly left: number;
  /** Frames since the previous snapshot that there was no room for. */
  readonly dropped: number;
  /** Since the previous snapshot. */
  readonly frames: readonly FrameRow[];
}

export interface FrameRow {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly direction: "received" | "sent";
  /** Such as `TEXT`. */
  readonly name: string;
  readonly length: number;
  readonly notes: readonly string[];
  /** The beginning of the payload; null with `payloads: "off"`. */
  readonly text: string | null;
}
