// The timers of a fake clock.

interface Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Timers in the order in which they are due; those due at the same time in the order in which they were set. */
export class TimerQueue {
  readonly #timers: Timer[] = [];
  #nextOrder = 0;

  get size(): number {
    return this.#timers.length;
  }

  /** When the next timer is due; infinity without timers. */
  get nextDueAt(): number {
    return this.#timers[0]?.dueAt ?? Infinity;
  }

  /** Returns a function that cancels the timer. */
  add(dueAt: number, callback: () => void): () => void {
    const timer: Timer = { dueAt, order: this.#nextOrder++, callback };
    this.#timers.splice(this.#insertionIndex(dueAt), 0, timer);
    return () => {
      this.#remove(timer);
    };
  }

  /** Returns a function that removes, one by one, the timers set before this call, due by `now` and not cancelled. */
  takeDue(now: number): () => (() => void) | undefined {
    const end = this.#nextOrder;
    return () => {
      const timer = this.#timers.find(({ dueAt, order }) => dueAt > now || order < end);
      if (timer === undefined || timer.dueAt > now) return undefined;
      this.#remove(timer);
      return timer.callback;
    };
  }

  #remove(timer: Timer): void {
    const index = this.#timers.indexOf(timer);
    if (index !== -1) this.#timers.splice(index, 1);
  }

  /** The position after every timer that is due no later. */
  #insertionIndex(dueAt: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle]?.dueAt ?? Infinity) <= dueAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
