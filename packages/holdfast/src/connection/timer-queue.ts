// One timer for all deadlines of a process: ten thousand connections must not mean ten thousand timers.
// A binary heap rather than a wheel of slots: deadlines stay exact, and nothing ticks while nothing is due. Only a crowd
// of deadlines is served in batches (`Clock.timerSpacing`).

import type { Clock } from "./ports.js";

/** Who is called when an alarm goes off. */
export interface AlarmHandler {
  onAlarm(now: number): void;
}

/** A deadline that can be set, moved and cancelled, any number of times. What has just one of them may be one. */
export abstract class Deadline implements AlarmHandler {
  /** Used by the queue only. */
  deadline = 0;
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

export class TimerQueue {
  readonly #clock: Clock;
  readonly #heap: Deadline[] = [];
  #cancelTimer: (() => void) | null = null;
  #timerAt = Infinity;
  #firedAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Alarms that are set. */
  get size(): number {
    return this.#heap.length;
  }

  /** Sets the alarm, or moves it, to the monotonic time `deadline`. */
  set(alarm: Deadline, deadline: number): void {
    if (alarm.isSet && alarm.deadline === deadline) return;
    alarm.deadline = deadline;
    if (!alarm.isSet) alarm.place = this.#heap.push(alarm) - 1;
    this.#siftDown(this.#siftUp(alarm.place));
    this.#arm();
  }

  cancel(alarm: Deadline): void {
    if (!alarm.isSet) return;
    this.#remove(alarm);
    if (this.#heap.length === 0) this.#disarm();
  }

  #remove(alarm: Deadline): void {
    const { place } = alarm;
    alarm.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === alarm) return;
    this.#put(last, place);
    this.#siftDown(this.#siftUp(place));
  }

  /** Arms the timer where the first deadline comes before it; a later one waits for the timer to look again. */
  #arm(): void {
    const first = Math.max(this.#heap[0].deadline, this.#firedAt + (this.#clock.timerSpacing ?? 0));
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
      while (this.#heap.length > 0 && this.#heap[0].deadline <= roundAt) {
        const alarm = this.#heap[0];
        this.#remove(alarm);
        // The time anew for each: one that blocks the loop must not hide that from the others.
        alarm.onAlarm(this.#clock.now());
      }
    } finally {
      // Also behind one that throws: the others wait for this timer.
      this.#disarm();
      if (this.#heap.length > 0) this.#arm();
    }
  }

  #siftUp(from: number): number {
    let place = from;
    const alarm = this.#heap[place];
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.#heap[above].deadline <= alarm.deadline) break;
      this.#put(this.#heap[above], place);
      place = above;
    }
    this.#put(alarm, place);
    return place;
  }

  #siftDown(from: number): void {
    let place = from;
    const alarm = this.#heap[place];
    for (;;) {
      let below = place * 2 + 1;
      if (below >= this.#heap.length) break;
      const right = below + 1;
      if (right < this.#heap.length && this.#heap[right].deadline < this.#heap[below].deadline) below = right;
      if (this.#heap[below].deadline >= alarm.deadline) break;
      this.#put(this.#heap[below], place);
      place = below;
    }
    this.#put(alarm, place);
  }

  #put(alarm: Deadline, place: number): void {
    this.#heap[place] = alarm;
    alarm.place = place;
  }
}
