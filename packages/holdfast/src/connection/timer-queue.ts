// One timer for all deadlines of a process, instead of ten thousand timers for ten thousand connections. It uses a heap
// rather than a timer wheel: deadlines stay exact, and nothing ticks while nothing is due. Only large numbers of
// deadlines are served in batches (`Clock.timerSpacing`).

import { DeadlineHeap, type HeapItem } from "../shared/deadline-heap.js";
import type { Clock } from "./ports.js";

/** Called when an alarm goes off. */
export interface AlarmHandler {
  onAlarm(now: number): void;
}

/**
 * A deadline that can be set, moved and cancelled, any number of times. A class with a single deadline extends it.
 */
export abstract class Deadline implements AlarmHandler, HeapItem {
  place = -1;

  get isSet(): boolean {
    return this.place >= 0;
  }

  abstract onAlarm(now: number): void;

  /** The process did not run for `gap` milliseconds. */
  onStall(_gap: number): void {
    // Most deadlines do not ask why they are late.
  }
}

/** A deadline of an object that has several, or seldom one. */
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

/** Slots are wider than the spacing of the timer; otherwise the timer would go off between them. */
const SLOT_SPACINGS = 2;
/** Wake-ups are shared if at least this many fall into one slot. */
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

  /** The number of alarms that are set. */
  get size(): number {
    return this.#alarms.size;
  }

  /** The process did not run for `gap` milliseconds: notifies all deadlines that are set. */
  onStall(gap: number): void {
    for (const alarm of this.#alarms.all()) alarm.onStall(gap);
  }

  /**
   * The width in milliseconds of the slots in which many connections should share the wake-ups of something that is due
   * every `interval` milliseconds and may be late; 0 if too few alarms are set for this to pay off.
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

  /**
   * Arms the timer if the first deadline comes before it. If the deadline comes later, the timer checks again when it
   * fires.
   */
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
    this.#timerAt = -Infinity; // Alarms set in this round do not arm the timer; the end of the round does, once.
    const roundAt = this.#clock.now();
    this.#firedAt = roundAt;
    try {
      for (let alarm = this.#firstUntil(roundAt); alarm !== undefined; alarm = this.#firstUntil(roundAt)) {
        this.#alarms.remove(alarm);
        // Read the time for each alarm: if one blocks the event loop, the others must see the delay.
        alarm.onAlarm(this.#clock.now());
      }
    } finally {
      // Also after an alarm that throws: the others wait for this timer.
      this.#disarm();
      this.#arm();
    }
  }

  #firstUntil(time: number): Deadline | undefined {
    return this.#alarms.firstAt <= time ? this.#alarms.first : undefined;
  }
}
