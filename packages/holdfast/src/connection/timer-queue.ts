// One timer for all deadlines of a process: ten thousand connections must not mean ten thousand timers.
// A heap rather than a wheel of slots: deadlines stay exact, and nothing ticks while nothing is due. Only a crowd
// of deadlines is served in batches (`Clock.timerSpacing`).

import type { Clock } from "./ports.js";

/** Who is called when an alarm goes off. */
export interface AlarmHandler {
  onAlarm(now: number): void;
}

/** A deadline that can be set, moved and cancelled, any number of times. What has just one of them may be one. */
export abstract class Deadline implements AlarmHandler {
  /** Used by the queue only: the place in the heap, -1 while not set. */
  place = -1;

  get isSet(): boolean {
    return this.place >= 0;
  }

  abstract onAlarm(now: number): void;
}

/** A deadline that somebody else minds. */
export class Alarm extends Deadline {
  readonly #handler: AlarmHandler;

  constructor(handler: AlarmHandler) {
    super();
    this.#handler = handler;
  }

  onAlarm(now: number): void {
    this.#handler.onAlarm(now);
  }
}

/** Children of a place: with four, the deadlines to compare lie side by side, and half as many alarms are moved. */
const WIDTH_BITS = 2;
const WIDTH = 1 << WIDTH_BITS;

export class TimerQueue {
  readonly #clock: Clock;
  /** The heap: of each alarm and its children, the alarm comes first. */
  readonly #alarms: Deadline[] = [];
  /** When those at the same places are due. Apart from them, since ten thousand alarms lie all over the memory. */
  readonly #deadlines: number[] = [];
  #cancelTimer: (() => void) | null = null;
  #timerAt = Infinity;
  #firedAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Alarms that are set. */
  get size(): number {
    return this.#alarms.length;
  }

  /** Sets the alarm, or moves it, to the monotonic time `deadline`. */
  set(alarm: Deadline, deadline: number): void {
    if (!alarm.isSet) {
      this.#deadlines.push(deadline);
      this.#lift(alarm, deadline, this.#alarms.push(alarm) - 1);
    } else {
      const before = this.#deadlines[alarm.place];
      if (deadline === before) return;
      if (deadline < before) this.#lift(alarm, deadline, alarm.place);
      else this.#sink(alarm, deadline, alarm.place);
    }
    this.#arm();
  }

  cancel(alarm: Deadline): void {
    if (!alarm.isSet) return;
    this.#remove(alarm);
    if (this.#alarms.length === 0) this.#disarm();
  }

  #remove(alarm: Deadline): void {
    const { place } = alarm;
    alarm.place = -1;
    const last = this.#alarms.pop();
    const deadline = this.#deadlines.pop();
    if (last === undefined || deadline === undefined || last === alarm) return;
    // The last takes its place, and from there goes where it belongs.
    if (deadline < this.#deadlines[place]) this.#lift(last, deadline, place);
    else this.#sink(last, deadline, place);
  }

  /** Arms the timer where the first deadline comes before it; a later one waits for the timer to look again. */
  #arm(): void {
    const first = Math.max(this.#deadlines[0], this.#firedAt + (this.#clock.timerSpacing ?? 0));
    if (first >= this.#timerAt) return;
    this.#disarm();
    this.#timerAt = first;
    this.#cancelTimer = this.#clock.setTimer(Math.max(0, first - this.#clock.now()), () => this.#fire());
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#timerAt = Infinity;
  }

  #fire(): void {
    this.#cancelTimer = null;
    this.#timerAt = -Infinity; // What is set during the round does not arm the timer: its end does, once.
    const roundAt = this.#clock.now();
    this.#firedAt = roundAt;
    try {
      while (this.#alarms.length > 0 && this.#deadlines[0] <= roundAt) {
        const alarm = this.#alarms[0];
        this.#remove(alarm);
        // The time anew for each: one that blocks the loop must not hide that from the others.
        alarm.onAlarm(this.#clock.now());
      }
    } finally {
      // Also behind one that throws: the others wait for this timer.
      this.#disarm();
      if (this.#alarms.length > 0) this.#arm();
    }
  }

  /** Puts the alarm at `from`, or above it. */
  #lift(alarm: Deadline, deadline: number, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> WIDTH_BITS;
      if (this.#deadlines[above] <= deadline) break;
      this.#put(this.#alarms[above], this.#deadlines[above], place);
      place = above;
    }
    this.#put(alarm, deadline, place);
  }

  /** Puts the alarm at `from`, or below it. */
  #sink(alarm: Deadline, deadline: number, from: number): void {
    const deadlines = this.#deadlines;
    let place = from;
    for (;;) {
      const below = place * WIDTH + 1;
      const end = Math.min(below + WIDTH, deadlines.length);
      let first = below;
      for (let other = below + 1; other < end; other++) {
        if (deadlines[other] < deadlines[first]) first = other;
      }
      if (below >= end || deadlines[first] >= deadline) break;
      this.#put(this.#alarms[first], deadlines[first], place);
      place = first;
    }
    this.#put(alarm, deadline, place);
  }

  #put(alarm: Deadline, deadline: number, place: number): void {
    this.#alarms[place] = alarm;
    this.#deadlines[place] = deadline;
    alarm.place = place;
  }
}
