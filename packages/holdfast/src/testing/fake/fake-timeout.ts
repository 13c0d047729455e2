// The timers that a fake clock hands out in place of Node's.

import type { Clock } from "../../connection/ports.js";

const active = new Map<number, FakeTimeout>();
/** No timer of Node.js gets a number as high. */
let nextId = 1e12;

/** A timer of `FakeClock.install()`, with the methods that Node's timers have. Its number is accepted in its place. */
export class FakeTimeout {
  /** Clears a timer, given as an object, a number or a text. Returns false if it is none of this class. */
  static clear(timer: unknown): boolean {
    const isKey = typeof timer === "number" || typeof timer === "string";
    const found = isKey ? active.get(Number(timer)) : timer;
    if (!(found instanceof FakeTimeout)) return false;
    found.close();
    return true;
  }

  readonly #clock: Clock;
  readonly #callback: () => void;
  readonly #delay: number;
  readonly #isRepeated: boolean;
  readonly #id = nextId++;
  #cancel: () => void = () => undefined;
  #isRef = true;

  constructor(clock: Clock, callback: () => void, delay: number, isRepeated: boolean) {
    this.#clock = clock;
    this.#callback = callback;
    this.#delay = delay;
    this.#isRepeated = isRepeated;
    this.refresh();
  }

  refresh(): this {
    this.close();
    active.set(this.#id, this);
    this.#cancel = this.#clock.setTimer(this.#delay, this.#onDue);
    return this;
  }

  close(): this {
    active.delete(this.#id);
    this.#cancel();
    return this;
  }

  readonly #onDue = (): void => {
    active.delete(this.#id);
    if (this.#isRepeated) this.refresh(); // First, so that the callback can clear it.
    this.#callback();
  };

  // A fake timer never keeps the process running.

  ref(): this {
    this.#isRef = true;
    return this;
  }

  unref(): this {
    this.#isRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#isRef;
  }

  [Symbol.toPrimitive](): number {
    return this.#id;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
