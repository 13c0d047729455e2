// The counters of a run of `holdfast bench`, in bounded memory.

import { Histogram } from "./histogram.js";

export class Tally {
  /** Milliseconds to open a connection. */
  readonly connectTimes = new Histogram();
  /** Milliseconds from when a message was due to its echo. */
  readonly latencies = new Histogram();
  /** Milliseconds by which messages were sent late; with `--rate`. */
  readonly lateness = new Histogram();
  sent = 0;
  echoed = 0;
  /** Received messages that are not echoes. */
  others = 0;
  /** In flight when Ctrl-C ended the run. */
  abandoned = 0;
  /** Due by `--rate`, but not sent because too many echoes were outstanding. */
  unsent = 0;
  readonly #problems = new Map<string, Problem>();

  /** `cause` is one of a few words; `example` is a sentence. Only the first example of each cause is kept. */
  onProblem(cause: string, example: string, count = 1): void {
    const known = this.#problems.get(cause);
    this.#problems.set(cause, {
      cause,
      count: (known?.count ?? 0) + count,
      example: known?.example ?? example,
    });
  }

  get problems(): readonly Problem[] {
    return [...this.#problems.values()];
  }
}

export interface Problem {
  readonly cause: string;
  readonly count: number;
  readonly example: string;
}

/** The cause for messages whose echo did not arrive in time. */
export const NO_ECHO = "no-echo";
