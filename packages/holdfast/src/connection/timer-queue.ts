// One timer for all deadlines of a process: ten thousand connections must not mean ten thousand timers.
// A heap rather than a wheel of slots: deadlines stay exact, and nothing ticks while nothing is due. Only a crowd
// of deadlines is served in batches (`Clock.timerSpacing`).

import { DeadlineHeap, type HeapItem } from "../shared/deadline-heap.js";
import type { Clock } from "./ports.js";

/** Who is called when an alarm goes off. */
export interface AlarmHandler {
  onAlarm(now: number): void;
}

/** A deadline that can be set, moved and cancelled, any number of times. What has just one of them may be one. */
export abstract class Deadline implements AlarmHandler, HeapItem {
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

/** Slots are wider than the spacing of the timer, or the timer would go off between them. */
const SLOT_SPACINGS = 2;
/** Wake-ups are shared where at least so many would come in one slot. */
const CROWD = 4;

export class TimerQueue {
  readonly #clock: Clock;
  readonly #alarms = new DeadlineHeap<Deadline>();
  #cancelTimer: (() => void) | null = null;
  #timerAt = Infinity;
  #firedAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Alarms that are set. */
  get size(): number {
    return this.#alarms.size;
  }

  /**
   * How many milliseconds apart the wake-ups for something may be that is due every `interval` milliseconds at each of a
   * crowd of connections, and may be late; 0 if there are too few for sharing wake-ups to pay.
   */
  sharedSlot(interval: number): number {
    const slot = SLOT_SPACINGS * (this.#clock.timerSpacing ?? 0);
    return this.size * slot >= CROWD * interval ? slot : 0;
  }

  /** Sets the alarm, or moves it, to the monotonic time `deadline`. */
  set(alarm: Deadline, deadline: number): void {
    this.#alarms.set(alarm, deadline);
    this.#arm();
  }

  cancel(alarm: Deadline): void {
    if (!alarm.isSet) return;
    this.#alarms.remove(alarm);
    if (this.#alarms.size === 0) this.#disarm();
  }

  /** Arms the timer where the first deadline comes before it; a later one waits for the timer to look again. */
  #arm(): void {
    const first = Math.max(this.#alarms.firstAt, this.#firedAt + (this.#clock.timerSpacing ?? 0));
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
      for (let alarm = this.#firstUntil(roundAt); alarm !== undefined; alarm = this.#firstUntil(roundAt)) {
        this.#alarms.remove(alarm);
        // The time anew for each: one that blocks the loop must not hide that from the others.
        alarm.onAlarm(this.#clock.now());
      }
    } finally {
      // Also behind one that throws: the others wait for this timer.
      this.#disarm();
      this.#arm();
    }
  }

  #firstUntil(time: number): Deadline | undefined {
    return this.#alarms.firstAt <= time ? this.#alarms.first : undefined;
  }
}
