// Counts the false verdicts of a detector, and measures how long it takes to find a silent drop.

import { SeededRandom } from "holdfast-testkit";
import type { Detector } from "./detectors.js";
import { SimulatedLink, type Weather } from "./link.js";
import { clear } from "./weathers.js";

const HOUR = 3_600_000;

/** The number of healthy connections, of those that last an hour each, that the detector declares dead; each counts once an hour. */
export function falseVerdicts(detector: Detector, weather: Weather, hours: number, seed: number): number {
  const random = new SeededRandom(seed);
  let count = 0;
  for (let hour = 0; hour < hours; hour++) {
    // After a false verdict, the client connects again for the rest of the hour.
    for (let rest = HOUR; rest > 0;) {
      const { verdictAt } = detector.watch(new SimulatedLink(weather, random), rest, true);
      if (verdictAt === null) break;
      count++;
      rest -= verdictAt;
    }
  }
  return count;
}

export interface DropTimes {
  readonly median: number;
  readonly longest: number;
  /** From the drop to the suspicion; null if the detector knows none. */
  readonly longestToSuspicion: number | null;
}

/** Milliseconds from a silent drop to the verdict, on an undisturbed link with messages. */
export function dropTimes(detector: Detector, drops: number, seed: number, roundTrip = 50): DropTimes {
  const random = new SeededRandom(seed);
  const times: number[] = [];
  const suspicions: number[] = [];
  for (let drop = 0; drop < drops; drop++) {
    const dropsAt = 120_000 + 60_000 * random.number();
    const link = new SimulatedLink(clear(roundTrip), random, dropsAt);
    const { verdictAt, suspectedAt } = detector.watch(link, HOUR, true);
    if (verdictAt === null) throw new Error(`Expected a verdict of "${detector.name}", got none`);
    times.push(verdictAt - dropsAt);
    if (suspectedAt !== null) suspicions.push(suspectedAt - dropsAt);
  }
  times.sort((left, right) => left - right);
  return {
    median: times[Math.floor(times.length / 2)] ?? Infinity,
    longest: times.at(-1) ?? Infinity,
    longestToSuspicion: suspicions.length === 0 ? null : Math.max(...suspicions),
  };
}

/** Pings in an hour without messages. */
export function idlePings(detector: Detector, seed: number): number {
  return detector.watch(new SimulatedLink(clear(), new SeededRandom(seed)), HOUR, false).pings;
}
