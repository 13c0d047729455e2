// Reports a resumption once the peer has said, with `replay`, how much it sends again. One that does not say so within
// `ackDelay`, or before its socket ends, sends nothing again.

import type { Clock } from "../../connection/ports.js";

export class ResumptionReport {
  #report: ((replayedIn: number) => void) | null;
  readonly #cancel: () => void;

  /** @param report called once, with the number of messages that the peer sends again */
  constructor(clock: Clock, ackDelay: number, report: (replayedIn: number) => void) {
    this.#report = report;
    this.#cancel = clock.setTimer(ackDelay, () => this.settle(0));
  }

  /** Calls after the first change nothing. */
  settle(replayedIn: number): void {
    const report = this.#report;
    this.#report = null;
    this.#cancel();
    report?.(replayedIn);
  }
}
