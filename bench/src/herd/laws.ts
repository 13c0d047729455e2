// The reconnect policies of well-known clients: their default delays, with the place in the source that
// states them. All durations are milliseconds.

import { backoffDelay, DEFAULT_BACKOFF } from "../../../packages/holdfast/build/reconnect/retry/backoff.js";
import { SpreadWidth } from "../../../packages/holdfast/build/server/spread-width.js";

/** A number in [0, 1). */
export type Chance = () => number;

/**
 * Milliseconds to wait before attempt `attempt`, where 1 is the first after the loss; null when the client
 * stops retrying.
 */
export type Delays = (attempt: number) => number | null;

export interface Law {
  readonly client: string;
  /** A few words for the table. */
  readonly summary: string;
  /** Starts one client. Random values that a client draws once, at its start, are drawn here. */
  readonly start: (chance: Chance) => Delays;
}

const SECOND = 1_000;

/** packages/holdfast/src/reconnect/retry/backoff.ts */
export const HOLDFAST: Law = {
  client: "Holdfast",
  summary: "0–2 s, then × 1.618 up to 30 s, half of it random",
  start: (chance) => (attempt) => backoffDelay(attempt, DEFAULT_BACKOFF, chance()),
};

/**
 * The width in milliseconds that a Holdfast server sets when this many clients have connected one after
 * another.
 */
export function widthOf(clients: number): number {
  const width = new SpreadWidth();
  for (let connections = 1; connections < clients; connections++) width.of(connections);
  return width.of(clients);
}

/** Pages: the server sets the width of the first wait (docs/link-protocol.md). */
export function holdfastPages(clients: number): Law {
  const firstDelay = widthOf(clients);
  return {
    client: "Holdfast, width set by its server",
    summary: `0–${(firstDelay / SECOND).toFixed(1)} s, then as above`,
    start: (chance) => (attempt) => {
      const width = attempt === 1 ? firstDelay : Math.max(firstDelay, DEFAULT_BACKOFF.firstDelay);
      return backoffDelay(attempt, { ...DEFAULT_BACKOFF, firstDelay: width }, chance());
    },
  };
}

export const LAWS: readonly Law[] = [
  HOLDFAST,
  {
    // websockets 17.1: `backoff()` in client.py, and `connect.__aiter__()` in asyncio/client.py, which calls
    // it only after an attempt has failed: the first attempt follows the loss immediately.
    client: "websockets (Python) 17.1",
    summary: "at once, 0–5 s, then 3.1 s × 1.618 up to 90 s",
    start: (chance) => (attempt) => {
      if (attempt === 1) return 0;
      if (attempt === 2) return chance() * 5 * SECOND;
      return Math.min(3.1 * SECOND * 1.618 ** (attempt - 3), 90 * SECOND);
    },
  },
  {
    // lomond 0.3.4, persist.py: min_wait 5, max_wait 30, and a random part of up to 2 ** retries seconds.
    client: "lomond 0.3.4, persist()",
    summary: "5 s and 0–2ⁿ s more, up to 30 s",
    start: (chance) => (attempt) => 5 * SECOND + chance() * Math.min(25, 2 ** (attempt - 1)) * SECOND,
  },
  {
    // reconnecting-websocket 4.4.0: DEFAULT and _getNextDelay() in reconnecting-websocket.ts. The random part is drawn
    // once, when the module is loaded.
    client: "reconnecting-websocket 4.4.0",
    summary: "1–5 s (drawn once) × 1.3 up to 10 s",
    start: (chance: Chance) => {
      const first = SECOND + chance() * 4 * SECOND;
      return (attempt) => Math.min(first * 1.3 ** (attempt - 1), 10 * SECOND);
    },
  },
  {
    // partysocket 1.3.0: DEFAULT and _getNextDelay() in ws.js.
    client: "partysocket 1.3.0",
    summary: "3 s × 1.3 up to 10 s",
    start: () => (attempt) => Math.min(3 * SECOND * 1.3 ** (attempt - 1), 10 * SECOND),
  },
  {
    // socket.io-client 4.8.4: manager.js (1000, 5000, 0.5) and contrib/backo2.js, where one random number
    // decides both how far a delay is moved and, by its first decimal, in which direction.
    client: "socket.io-client 4.8.4",
    summary: "1 s × 2, ± 50 %, up to 5 s",
    start: (chance) => (attempt) => {
      const delay = SECOND * 2 ** (attempt - 1);
      const number = chance();
      const direction = Math.floor(number * 10) % 2 === 0 ? -1 : 1;
      return Math.min(delay + direction * Math.floor(number * 0.5 * delay), 5 * SECOND);
    },
  },
  {
    // graphql-ws 6.4.2: retryWait and retryAttempts (5) in client.js.
    client: "graphql-ws 6.4.2",
    summary: "2ⁿ s and 0.3–3 s more; gives up after 5",
    start: (chance) => (attempt) =>
      attempt > 5 ? null : 2 ** (attempt - 1) * SECOND + 300 + chance() * 2_700,
  },
  {
    // phoenix 1.8.16 (JavaScript): reconnectAfterMs in socket.js.
    client: "Phoenix 1.8.16",
    summary: "10, 50, 100 … 2,000 ms, then 5 s",
    start: () => (attempt) => [10, 50, 100, 150, 200, 250, 500, 1_000, 2_000][attempt - 1] ?? 5 * SECOND,
  },
  {
    // @microsoft/signalr 10.0.11: withAutomaticReconnect(), DefaultReconnectPolicy.js.
    client: "SignalR 10.0.11",
    summary: "0, 2, 10, 30 s; then gives up",
    start: () => (attempt) => [0, 2 * SECOND, 10 * SECOND, 30 * SECOND][attempt - 1] ?? null,
  },
  {
    // The usual code if a library leaves reconnecting to the application (tungstenite, ws): a loop that
    // sleeps.
    client: "a loop that sleeps",
    summary: "1 s, always",
    start: () => () => SECOND,
  },
  {
    // “Exponential Backoff And Jitter”, AWS Architecture Blog: random between 0 and min(cap, base × 2ⁿ). The
    // article does not fix base and cap; this uses 1 s and 20 s.
    client: "“full jitter” (AWS)",
    summary: "0 to 2ⁿ s, up to 20 s",
    start: (chance) => (attempt) => chance() * Math.min(2 ** (attempt - 1), 20) * SECOND,
  },
];
