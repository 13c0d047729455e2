// The skipped positions among those that were received last. Hardly any session has some.

interface Run {
  readonly from: number;
  to: number;
}

/** Older runs are forgotten. More would lie between unread messages only if the inbox held more messages than this. */
const MAX_RUNS = 4096;

export class SkippedPositions {
  /** In order, with messages between them. */
  readonly #runs: Run[] = [];

  /** `from` is the newest position. */
  add(from: number, to: number): void {
    const last = this.#runs.at(-1);
    if (last?.to === from - 1) last.to = to;
    else this.#runs.push({ from, to });
    if (this.#runs.length > MAX_RUNS) this.#runs.shift();
  }

  /** The end of the run that follows a position; the position itself if none does. */
  endAfter(position: number): number {
    return this.#runs.find(({ from }) => from === position + 1)?.to ?? position;
  }

  /** The position before the `count` newest messages; `newest` is the newest position. */
  positionBefore(newest: number, count: number): number {
    if (count === 0) return newest;
    let position = newest;
    let left = count;
    for (let index = this.#runs.length - 1; index >= 0; index--) {
      const { from, to } = this.#runs[index];
      const messages = position - to;
      if (messages >= left) break;
      left -= messages;
      position = from - 1;
    }
    return position - left;
  }

  /** Returns false if no run is left. */
  forgetUpTo(position: number): boolean {
    const kept = this.#runs.findIndex(({ to }) => to > position);
    this.#runs.splice(0, kept === -1 ? this.#runs.length : kept);
    return this.#runs.length > 0;
  }
}
