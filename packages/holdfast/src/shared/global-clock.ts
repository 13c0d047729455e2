// The clock and the timers of a JavaScript realm. Both are looked up at each use: tests replace the globals (node:test,
// Vitest, Jest, @sinonjs/fake-timers), and advancing a fake clock must drive the heartbeat as well. The time stays
// continuous when the globals change, and a lost timer is set again.

interface TimeSource {
  readonly now: () => number;
}

/** The current globals for time and timers. */
export interface TimeGlobals {
  readonly Date: TimeSource;
  readonly performance: TimeSource;
  readonly setTimeout: (callback: () => void, delay: number) => unknown;
  readonly clearTimeout: (timer: never) => void;
}

/** The realm's own functions, which tests do not replace. */
export interface RealTime {
  readonly Date: TimeSource;
  readonly performance: TimeSource;
  readonly setTimeout: TimeGlobals["setTimeout"];
  readonly clearTimeout: TimeGlobals["clearTimeout"];
  /** Sets a timer in real time that does not keep the process alive. */
  watch(callback: () => void, delay: number): void;
  /** Calls back outside every async context: a shared timer must not keep the context of one of its users. */
  outsideContexts<Result>(callback: () => Result): Result;
  /** As in the port `Clock`, which the class implements with them. */
  readonly afterPoll: (callback: () => void) => void;
  readonly atTurnEnd: (callback: () => void) => void;
  readonly timerSpacing?: number;
}

/** Milliseconds between two checks of the globals while timers are fake. */
const WATCH_INTERVAL = 100;
/** Milliseconds after which a timer that did not fire counts as lost. Setting a late timer again does no harm. */
const LOST_AFTER = 1_000;
/** Milliseconds by which a real timer, wrapped by a library, may seem to fire early. */
const ROUNDING = 5;

/** The port `Clock` of a connection. */
export class GlobalClock {
  readonly timerSpacing: number;
  readonly afterPoll: RealTime["afterPoll"];
  readonly atTurnEnd: RealTime["atTurnEnd"];
  readonly #globals: TimeGlobals;
  readonly #real: RealTime;
  readonly #realNow: () => number;
  // The globals at the last check.
  #date: TimeSource;
  #performance: TimeSource;
  #performanceNow: () => number;
  #setTimeout: TimeGlobals["setTimeout"];
  #usesDate = false;
  /** Added to the time of the source, so that time continues from that of an earlier source. */
  #offset = 0;
  /** The newest time that was returned. */
  #last = 0;
  readonly #pending = new Set<PendingTimer>();
  /** When a pending timer counts as lost. */
  #lostAt = Infinity;
  #isWatching = false;

  constructor(globals: TimeGlobals, real: RealTime) {
    this.#globals = globals;
    this.#real = real;
    this.#realNow = real.performance.now;
    this.timerSpacing = real.timerSpacing ?? 0;
    this.afterPoll = real.afterPoll;
    this.atTurnEnd = real.atTurnEnd;
    this.#date = globals.Date;
    this.#performance = globals.performance;
    this.#performanceNow = globals.performance.now;
    this.#setTimeout = globals.setTimeout;
    this.#chooseSource();
  }

  now(): number {
    const { Date: date, performance, setTimeout } = this.#globals;
    if (setTimeout !== this.#setTimeout || date !== this.#date || performance.now !== this.#performanceNow) {
      this.#followGlobals();
    }
    const now = this.#offset + this.#read();
    if (now > this.#lostAt) this.#recover(now);
    return (this.#last = now);
  }

  wallNow(): number {
    return this.#globals.Date.now();
  }

  setTimer(delay: number, callback: () => void, isBackground = false): () => void {
    const dueAt = this.now() + delay;
    const timer: PendingTimer = { callback, dueAt, isBackground, handle: null, version: 0 };
    this.#pending.add(timer);
    this.#arm(timer, delay);
    return () => this.#cancel(timer);
  }

  get #hasFakeTimers(): boolean {
    return this.#setTimeout !== this.#real.setTimeout;
  }

  #arm(timer: PendingTimer, delay: number): void {
    const version = ++timer.version;
    // Round up: timers round down, and one that fires early would have to be set again.
    timer.handle = this.#real.outsideContexts(() =>
      this.#globals.setTimeout(() => {
        if (timer.version === version) this.#fire(timer);
      }, Math.ceil(delay)),
    );
    if (timer.isBackground) (timer.handle as { unref?: () => void }).unref?.(); // Browsers have numbers.
    this.#lostAt = Math.min(this.#lostAt, timer.dueAt + LOST_AFTER);
    if (this.#hasFakeTimers) this.#watch();
  }

  #fire(timer: PendingTimer): void {
    this.#remove(timer);
    // The fake timers were advanced without their clock. A timer that fires proves that its time has passed.
    const early = timer.dueAt - this.now();
    if (early > ROUNDING && this.#hasFakeTimers) this.#offset += Math.ceil(early);
    timer.callback();
  }

  #cancel(timer: PendingTimer): void {
    if (!this.#pending.has(timer)) return;
    this.now(); // The globals that made the handle must cancel it.
    this.#remove(timer);
    this.#globals.clearTimeout(timer.handle as never);
  }

  #remove(timer: PendingTimer): void {
    timer.version++;
    this.#pending.delete(timer);
    this.#lostAt = Infinity;
    for (const { dueAt } of this.#pending) this.#lostAt = Math.min(this.#lostAt, dueAt + LOST_AFTER);
  }

  /**
   * The time of the source. A mock may give none, or throw: with `jest.spyOn(performance, "now").mockImplementation()`
   * the real time counts. A single NaN would stop all timers for good.
   */
  #read(): number {
    let time: unknown;
    try {
      time = this.#usesDate ? this.#date.now() : this.#performanceNow.call(this.#performance);
    } catch {
      // No time.
    }
    if (Number.isFinite(time)) return time as number;
    return this.#usesDate ? this.#last - this.#offset : this.#realNow.call(this.#real.performance);
  }

  /** The globals have changed: continues with the new ones, from the time of the old ones. */
  #followGlobals(): void {
    // A fake clock may have been set back before it was restored.
    const now = Math.max(this.#last, this.#offset + this.#read());
    const wereFake = this.#hasFakeTimers;
    const wereReplaced = this.#globals.setTimeout !== this.#setTimeout;
    this.#date = this.#globals.Date;
    this.#performance = this.#globals.performance;
    this.#performanceNow = this.#performance.now;
    this.#setTimeout = this.#globals.setTimeout;
    this.#chooseSource();
    // Keep it a whole number: sums of a fake clock stay exact, and its timers fire at the right millisecond.
    this.#offset = Math.ceil(now - this.#read());
    if (!wereReplaced) return;
    for (const timer of this.#pending) {
      // A replaced fake timer fires no more, and a fake `clearTimeout` could clear another timer with the same handle.
      if (!wereFake) this.#real.clearTimeout(timer.handle as never);
      this.#arm(timer, Math.max(0, timer.dueAt - now));
    }
  }

  /**
   * Reads `Date` if a fake clock replaces the timers and `Date`, but not `performance` (node:test). If only `Date` is
   * replaced, it is not a clock.
   */
  #chooseSource(): void {
    this.#usesDate =
      this.#hasFakeTimers && this.#performanceNow === this.#realNow && this.#date !== this.#real.Date;
  }

  /** The application has cleared our timers, or this process did not run: sets overdue ones again. */
  #recover(now: number): void {
    this.#lostAt = Infinity;
    for (const timer of this.#pending) {
      if (timer.dueAt + LOST_AFTER < now) {
        this.#globals.clearTimeout(timer.handle as never);
        this.#arm(timer, 0);
      }
    }
    this.#lostAt = now + LOST_AFTER;
  }

  /** While timers are fake, checks in real time whether they still are: restoring them notifies nobody. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#real.watch(() => {
      this.#isWatching = false;
      this.now();
      if (this.#hasFakeTimers && this.#pending.size > 0) this.#watch();
    }, WATCH_INTERVAL);
  }
}

interface PendingTimer {
  readonly callback: () => void;
  readonly dueAt: number;
  readonly isBackground: boolean;
  handle: unknown;
  /** Counts how often it was set: only the newest of its timers may fire. */
  version: number;
}
