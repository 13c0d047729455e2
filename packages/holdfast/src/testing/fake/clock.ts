import { TimerQueue } from "./timer-queue.js";

/**
 * Time that moves only when a test says so, through the phases of Node's event loop: the timers that are due, then
 * the poll for I/O, then the `afterPoll` callbacks. After each callback, those that wait for the end of its turn run.
 *
 * `advance` runs everything at its exact time. `advanceAsync` does the same and lets promises settle after each
 * callback. A callback that throws ends the call with its error.
 */
export class FakeClock {
  #now: number;
  #wallOffset: number;
  #isInCallback = false;
  readonly #timers = new TimerQueue();
  #turnEndCallbacks: (() => void)[] = [];
  #pollCallbacks: (() => void)[] = [];
  #afterPollCallbacks: (() => void)[] = [];

  /** @param start initial `now` and `wallNow`; by default 0 and noon (UTC) on 1 January 2026 */
  constructor({ now = 0, wallNow = Date.UTC(2026, 0, 1, 12) }: { now?: number; wallNow?: number } = {}) {
    this.#now = now;
    this.#wallOffset = wallNow - now;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now + this.#wallOffset;
  }

  setTimer(delay: number, callback: () => void): () => void {
    // NaN would never fire, and a test would pass for the wrong reason.
    if (!(delay >= 0)) throw new RangeError(`Expected the delay of a timer to be 0 or more, got ${delay}`);
    return this.#timers.add(this.#now + delay, callback);
  }

  afterPoll(callback: () => void): void {
    this.#afterPollCallbacks.push(callback);
  }

  atTurnEnd(callback: () => void): void {
    this.#turnEndCallbacks.push(callback);
  }

  /** Calls back within the next poll: after the timers that are due, before the `afterPoll` callbacks. */
  atPoll(callback: () => void): void {
    this.#pollCallbacks.push(callback);
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Callbacks that wait for a poll or for the end of the turn. */
  get pendingCallbacks(): number {
    return this.#turnEndCallbacks.length + this.#pollCallbacks.length + this.#afterPollCallbacks.length;
  }

  /** Lets `ms` pass on an idle event loop: everything runs at the exact time at which it is due. */
  advance(ms: number): void {
    runAll(this.#runUntil(this.#target(ms)));
  }

  /** Like `advance`, but lets promises settle after each callback. */
  async advanceAsync(ms: number): Promise<void> {
    const target = this.#target(ms);
    await promisesSettled();
    await runAllSettling(this.#runUntil(target));
  }

  /**
   * Blocks the event loop for `ms`. Nothing runs during that time. Then every overdue timer runs late, and
   * only then does the poll read what arrived. Within a callback, it only lets the time pass, as a slow
   * callback does.
   */
  stall(ms: number): void {
    this.#now += ms;
    this.#catchUp();
  }

  /** Suspends the machine as Linux does: the wall clock jumps, and the monotonic clock does not. */
  suspend(ms: number): void {
    this.#wallOffset += ms;
  }

  /** The monotonic clock jumps and the wall clock does not; timers that are due then run late. */
  jumpMonotonic(ms: number): void {
    this.#now += ms;
    this.#wallOffset -= ms;
    this.#catchUp();
  }

  /** Ends the turn and polls once: runs the callbacks for both, and no timer. Time does not advance. */
  turn(): void {
    this.#assertOutsideCallback();
    runAll(this.#turnAndPoll());
  }

  /** Settles promises and runs turns until nothing is left to do. Time does not advance, and no timer runs. */
  async settle(): Promise<void> {
    await promisesSettled();
    for (let rounds = 0; this.pendingCallbacks > 0; rounds++) {
      assertProgress(rounds);
      await runAllSettling(this.#turnAndPoll());
    }
  }

  #target(ms: number): number {
    this.#assertOutsideCallback();
    if (!(ms >= 0)) throw new RangeError(`Expected the time to advance by 0 or more, got ${ms}`);
    return this.#now + ms;
  }

  #catchUp(): void {
    if (!this.#isInCallback) runAll(this.#runUntil(this.#now));
  }

  // The generators yield after each callback, where the asynchronous variants let promises settle.

  *#runUntil(end: number): Generator<void, void> {
    for (let rounds = 0; ; rounds++) {
      assertProgress(rounds);
      if (this.pendingCallbacks > 0 || this.#timers.nextDueAt <= this.#now) {
        yield* this.#loopIteration();
      } else if (this.#timers.nextDueAt <= end) {
        this.#now = this.#timers.nextDueAt;
        rounds = 0;
      } else {
        // A callback that stalled may have overshot the end.
        this.#now = Math.max(this.#now, end);
        return;
      }
    }
  }

  *#loopIteration(): Generator<void, void> {
    yield* this.#endTurn();
    // A timer set by one of these timers waits for the next iteration, so that the poll is never starved.
    for (const takeNext = this.#timers.takeDue(this.#now); ;) {
      const callback = takeNext();
      if (callback === undefined) break;
      yield* this.#run(callback);
    }
    yield* this.#turnAndPoll();
  }

  *#turnAndPoll(): Generator<void, void> {
    yield* this.#endTurn();
    const polled = this.#pollCallbacks;
    this.#pollCallbacks = [];
    for (const callback of polled) yield* this.#run(callback);
    const afterPoll = this.#afterPollCallbacks;
    this.#afterPollCallbacks = [];
    for (const callback of afterPoll) yield* this.#run(callback);
  }

  *#run(callback: () => void): Generator<void, void> {
    this.#call(callback);
    yield;
    yield* this.#endTurn();
  }

  *#endTurn(): Generator<void, void> {
    for (let rounds = 0; this.#turnEndCallbacks.length > 0; rounds++) {
      assertProgress(rounds);
      const callbacks = this.#turnEndCallbacks;
      this.#turnEndCallbacks = [];
      for (const callback of callbacks) {
        this.#call(callback);
        yield;
      }
    }
  }

  #call(callback: () => void): void {
    this.#isInCallback = true;
    try {
      callback();
    } finally {
      this.#isInCallback = false;
    }
  }

  #assertOutsideCallback(): void {
    if (this.#isInCallback)
      throw new Error("A callback cannot turn the clock it runs on; stall() lets time pass");
  }
}

function runAll(steps: Generator<void, void>): void {
  while (steps.next().done !== true);
}

async function runAllSettling(steps: Generator<void, void>): Promise<void> {
  while (steps.next().done !== true) await promisesSettled();
}

/** An immediate runs once the microtask queue is empty, however long the promise chains are. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function assertProgress(rounds: number): void {
  if (rounds > 10_000) throw new Error("Callbacks keep queueing callbacks without letting time pass");
}
