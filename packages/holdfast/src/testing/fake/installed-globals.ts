// The functions of `FakeClock.install()`: a realm's `Date`, `performance.now` and timers, on a fake clock.

import { promisify } from "node:util";
import type { Clock } from "../../connection/ports.js";
import { checkFunction } from "../../shared/option-checks.js";
import { FakeTimeout } from "./fake-timeout.js";

/** The names that `install()` replaces. `setImmediate`, `process.nextTick` and `node:timers` stay real. */
const NAMES = ["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;

/** Replaces the globals; returns a function that restores them. */
export function installGlobals(clock: Clock): () => void {
  const fakes = fakesOf(clock);
  const restores = NAMES.map((name) => replace(globalThis, name, fakes[name]));
  restores.push(replace(performance, "now", () => clock.now()));
  return () => {
    for (const restore of restores) restore();
  };
}

function fakesOf(clock: Clock): Record<(typeof NAMES)[number], unknown> {
  const set =
    (isRepeated: boolean) =>
    (callback: (...args: unknown[]) => void, delay?: unknown, ...args: unknown[]): FakeTimeout => {
      checkFunction("callback", callback);
      return new FakeTimeout(clock, () => callback(...args), delayOf(delay), isRepeated);
    };
  // A timer may have been set before the clock was installed.
  const { clearTimeout: clearReal } = globalThis;
  const clear = (timer: unknown): void => {
    if (!FakeTimeout.clear(timer)) clearReal(timer as NodeJS.Timeout); // It ignores what is no timer.
  };
  const setTimeout = set(false);
  return {
    Date: dateOf(clock),
    setTimeout: Object.assign(setTimeout, { [promisify.custom]: sleepWith(setTimeout, clear) }),
    clearTimeout: clear,
    setInterval: set(true),
    clearInterval: clear,
  };
}

/** `promisify(setTimeout)`, which resolves with `value` (node:timers/promises). */
function sleepWith(
  set: (callback: () => void, delay: unknown) => FakeTimeout,
  clear: (timer: unknown) => void,
) {
  return (delay?: unknown, value?: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => {
        clear(timer);
        reject(abortError(signal));
      };
      const timer = set(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve(value);
      }, delay);
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener("abort", onAbort, { once: true });
    });
}

/** As Node.js makes it. */
function abortError(signal: AbortSignal | undefined): Error {
  const error = new Error("The operation was aborted.", { cause: signal?.reason });
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" });
}

/** As in Node.js: at least 1 ms, and 1 ms for what is not a number or too large. */
function delayOf(delay: unknown): number {
  const ms = Number(delay);
  return ms >= 1 && ms <= 2 ** 31 - 1 ? Math.trunc(ms) : 1;
}

function dateOf(clock: Clock): DateConstructor {
  const now = (): number => clock.wallNow();
  return new Proxy(RealDate, {
    apply: () => new RealDate(now()).toString(),
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    get: (target, name, receiver): unknown => (name === "now" ? now : Reflect.get(target, name, receiver)),
  });
}

const RealDate = Date;

/** Replaces an own property, or hides an inherited one; returns a function that restores it. */
function replace(target: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, before);
  };
}
