// What a run of `holdfast bench` counts. Bounded, however long it runs.

import { Histogram } from "./histogram.js";

export class Tally {
  /** Milliseconds from wanting a connection to having it. */
  readonly connectTimes = new Histogram();
  /** Milliseconds from when a message was to be sent to its echo. */
  readonly latencies = new Histogram();
  /** Milliseconds from when a message was to be sent to when it was; with `--rate`. */
  readonly lateness = new Histogram();
  sent = 0;
  echoed = 0;
  /** Messages that answer nothing that was sent. */
  others = 0;
  /** In flight when the run was ended by hand. */
  abandoned = 0;
  /** Due by `--rate`, and not sent for want of echoes. */
  unsent = 0;
  readonly #problems = new Map<string, Problem>();

  /** `cause` is one of few words; `example` a sentence, of which the first of each cause is kept. */
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

/** The cause of messages whose echo did not come in time. */
export const NO_ECHO = "no-echo";
