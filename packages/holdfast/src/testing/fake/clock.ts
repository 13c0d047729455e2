// `FakeClock`: time that moves only when a test says so.

import { setTimeout } from "node:timers"; // An installed clock does not replace it.
import { checkFunction, describe } from "../../shared/option-checks.js";
import { checkOptionNames } from "../../shared/option-names.js";
import { installGlobals } from "./installed-globals.js";
import { TimerQueue } from "./timer-queue.js";

/**
 * Time that moves only when a test says so, through the phases of Node's event loop: the timers that are due, then
 * the poll for I/O, then the `afterPoll` callbacks. After each callback, those that wait for the end of its turn run.
 *
 * `advance` runs everything at its exact time. `advanceAsync` does the same and lets promises settle after each
 * callback. A callback that throws ends the call with its error.
 *
 * It drives the connections of a `connectionPair()`. After `install()` it also drives all other connections of the
 * process, and the application's own timers.
 */
export class FakeClock {
  static #installed: FakeClock | null = null;

  #now: number;
  #wallOffset: number;
  #isInCallback = false;
  readonly #timers = new TimerQueue();
  #turnEndCallbacks: (() => void)[] = [];
  #pollCallbacks: (() => void)[] = [];
  #afterPollCallbacks: (() => void)[] = [];

  /**
   * @param options initial `now` and `wallNow`, in milliseconds; by default 0 and noon (UTC) on 1 January 2026
   * @throws RangeError for others
   */
  constructor(options: { now?: number; wallNow?: number } = {}) {
    checkOptionNames("FakeClock", options, { now: true, wallNow: true });
    const { now = 0, wallNow = Date.UTC(2026, 0, 1, 12) } = options;
    checkTime("`now`", now, -Infinity);
    checkTime("`wallNow`", wallNow, -Infinity);
    this.#now = now;
    this.#wallOffset = wallNow - now;
  }

  /** The monotonic time in milliseconds. */
  now(): number {
    return this.#now;
  }

  /** The wall clock: milliseconds since 1970. */
  wallNow(): number {
    return this.#now + this.#wallOffset;
  }

  /**
   * Calls back once, after `delay` milliseconds.
   *
   * @returns a function that cancels the timer
   * @throws RangeError if the delay is negative or not a number
   */
  setTimer(delay: number, callback: () => void): () => void {
    // NaN would never fire, and a test would pass for the wrong reason.
    if (!(typeof delay === "number" && delay >= 0))
      throw new RangeError(`Expected the delay of a timer to be 0 or more, got ${describe(delay)}.`);
    checkFunction("callback", callback);
    return this.#timers.add(this.#now + delay, callback);
  }

  /** Calls back after the next poll, like `setImmediate()`. */
  afterPoll(callback: () => void): void {
    this.#afterPollCallbacks.push(callback);
  }

  /** Calls back at the end of the current turn, like `process.nextTick()`. */
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

  /**
   * Replaces the global `setTimeout`, `setInterval`, `clearTimeout`, `clearInterval`, `Date` and `performance.now` with
   * those of this clock. Every connection, server and client of the process then follows it, as do the application's own
   * timers. Sockets stay real, and so do `setImmediate`, `process.nextTick`, `node:timers` and `AbortSignal.timeout()`.
   * `advanceAsync()` lets the sockets of this process exchange what is ready between two timers.
   *
   * @returns a function that restores the globals
   * @throws Error if a fake clock is installed already
   */
  install(): () => void {
    if (FakeClock.#installed !== null) throw new Error("Expected no installed fake clock. Restore it first.");
    const restore = installGlobals(this);
    FakeClock.#installed = this;
    return () => {
      if (FakeClock.#installed !== this) return;
      FakeClock.#installed = null;
      restore();
    };
  }

  /**
   * Lets `ms` milliseconds pass on an idle event loop: everything runs at the exact time at which it is due.
   *
   * @throws RangeError if `ms` is negative or not a finite number
   * @throws Error within a callback of this clock
   */
  advance(ms: number): void {
    runAll(this.#runUntil(this.#target(ms)));
  }

  /**
   * Like `advance`, but lets promises settle after each callback; if the clock is installed, sockets too.
   *
   * @throws RangeError if `ms` is negative or not a finite number
   * @throws Error within a callback of this clock
   */
  async advanceAsync(ms: number): Promise<void> {
    const target = this.#target(ms);
    await this.#settled();
    await this.#runAllSettling(this.#runUntil(target));
    if (FakeClock.#installed === this) await this.#settled();
  }

  /**
   * Blocks the event loop for `ms`. Nothing runs during that time. Then every overdue timer runs late, and
   * only then does the poll read what arrived. Within a callback, it only lets the time pass, as a slow
   * callback does.
   *
   * @throws RangeError if `ms` is negative or not a finite number
   */
  stall(ms: number): void {
    checkTime("the time to stall", ms, 0);
    this.#now += ms;
    this.#catchUp();
  }

  /**
   * Suspends the machine for `ms` as Linux does: the wall clock jumps, and the monotonic clock does not. A negative `ms`
   * sets the wall clock back.
   *
   * @throws RangeError if `ms` is not a finite number
   */
  suspend(ms: number): void {
    checkTime("the time to suspend", ms, -Infinity);
    this.#wallOffset += ms;
  }

  /**
   * The monotonic clock jumps by `ms` and the wall clock does not; timers that are due then run late.
   *
   * @throws RangeError as `stall()`
   */
  jumpMonotonic(ms: number): void {
    checkTime("the jump", ms, 0);
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
    await this.#settled();
    for (let rounds = 0; this.pendingCallbacks > 0; rounds++) {
      assertProgress(rounds);
      await this.#runAllSettling(this.#turnAndPoll());
    }
  }

  async #runAllSettling(steps: Generator<void, void>): Promise<void> {
    while (steps.next().done !== true) await this.#settled();
  }

  /** With real sockets, a message and its answer take a few polls. */
  async #settled(): Promise<void> {
    const isInstalled = FakeClock.#installed === this;
    const polls = isInstalled ? POLLS_OF_SOCKETS : 1;
    for (let count = 0; count < polls; count++) await (isInstalled ? socketsPolled() : promisesSettled());
  }

  #target(ms: number): number {
    this.#assertOutsideCallback();
    checkTime("the time to advance", ms, 0);
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
      throw new Error("A callback cannot turn the clock it runs on; stall() lets time pass.");
  }
}

function runAll(steps: Generator<void, void>): void {
  while (steps.next().done !== true);
}

/** On the loopback interface, a ping and its pong take 2 to 3, an upgrade 4. */
const POLLS_OF_SOCKETS = 10;

/** An immediate runs once the microtask queue is empty, however long the promise chains are. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** On Deno, many immediates run before the next poll. */
function socketsPolled(): Promise<void> {
  return "deno" in process.versions ? new Promise((resolve) => setTimeout(resolve, 0)) : promisesSettled();
}

/** NaN or a text would make time stand still or jump, and a test would pass for the wrong reason. */
function checkTime(what: string, ms: number, least: number): void {
  if (Number.isFinite(ms) && ms >= least) return;
  const wanted = least === 0 ? "0 or more milliseconds" : "a finite number of milliseconds";
  throw new RangeError(`Expected ${what} to be ${wanted}, got ${describe(ms)}.`);
}

function assertProgress(rounds: number): void {
  if (rounds > 10_000) throw new Error("Callbacks keep queueing callbacks without letting time pass.");
}
