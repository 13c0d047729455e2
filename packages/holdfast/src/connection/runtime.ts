// What all connections of a process share: the ports, the timer, the memory for outgoing frames, and the list of
// those that have something to flush at the end of the turn. Tests make one of their own on a fake clock.

import { FrameEncoder } from "../protocol/frame/frame-encoder.js";
import { MaskKeys } from "../protocol/frame/masking.js";
import type { Clock, Random } from "./ports.js";
import { Slab } from "./slab.js";
import { TimerQueue } from "./timer-queue.js";

/** Something that collected bytes during this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

export class Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: TimerQueue;
  readonly slab = new Slab();
  readonly serverEncoder = new FrameEncoder(null);
  readonly clientEncoder: FrameEncoder;
  #unflushed: Flushable[] = [];
  #connections = 0;
  readonly #idPrefix: string;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
    this.timers = new TimerQueue(clock);
    this.clientEncoder = new FrameEncoder(new MaskKeys((target) => random.fill(target)));
    this.#idPrefix = Buffer.from(this.randomBytes(5)).toString("hex");
  }

  /** Calls `flush` at the end of this turn, after the promises that are ready by then: one write for them all. */
  flushAtTurnEnd(flushable: Flushable): void {
    if (this.#unflushed.push(flushable) === 1) this.clock.atTurnEnd(this.#flushAll);
  }

  randomBytes(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    this.random.fill(bytes);
    return bytes;
  }

  /** An id that no other connection of this process has, and hardly one of another. */
  nextId(): string {
    return `${this.#idPrefix}-${(++this.#connections).toString(36)}`;
  }

  readonly #flushAll = (): void => {
    const flushables = this.#unflushed;
    this.#unflushed = [];
    for (const flushable of flushables) flushable.flush();
  };
}
