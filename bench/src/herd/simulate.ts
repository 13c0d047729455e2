// Simulates a herd: clients that lose their server at the same moment and reconnect according to their
// policy. It takes no real time.

import { SeededRandom } from "holdfast-testkit";
import type { Law } from "./laws.js";

export interface HerdOptions {
  readonly clients: number;
  /**
   * Milliseconds that the server is down. Attempts during that time are refused immediately; later ones
   * succeed immediately.
   */
  readonly outage: number;
  readonly seed: number;
}

export interface HerdResult {
  /** The largest number of attempts within any 100 ms, as a share of the clients. */
  readonly peak: number;
  /** The same, for attempts that the server sees after its return. */
  readonly peakAfterReturn: number;
  /** Average attempts per client. */
  readonly attempts: number;
  /**
   * Milliseconds from the server's return until this share of the clients has reconnected; null if it never
   * does.
   */
  readonly back: { readonly half: number | null; readonly most: number | null; readonly all: number | null };
}

const WINDOW = 100;

export function simulate(law: Law, { clients, outage, seed }: HerdOptions): HerdResult {
  const random = new SeededRandom(seed);
  const attempts: number[] = [];
  const returns: number[] = [];
  for (let client = 0; client < clients; client++) {
    const delays = law.start(() => random.number());
    let now = 0;
    for (let attempt = 1; ; attempt++) {
      const delay = delays(attempt);
      if (delay === null) break;
      now += delay;
      attempts.push(now);
      if (now < outage) continue;
      returns.push(now - outage);
      break;
    }
  }
  attempts.sort((one, other) => one - other);
  returns.sort((one, other) => one - other);
  return {
    peak: mostWithin(WINDOW, attempts) / clients,
    peakAfterReturn: mostWithin(WINDOW, returns) / clients,
    attempts: attempts.length / clients,
    back: {
      half: returns[Math.ceil(clients * 0.5) - 1] ?? null,
      most: returns[Math.ceil(clients * 0.99) - 1] ?? null,
      all: returns[clients - 1] ?? null,
    },
  };
}

/** The largest number of these sorted times that fit into one window of this length. */
export function mostWithin(length: number, times: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [index, time] of times.entries()) {
    while ((times[first] ?? Infinity) <= time - length) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
