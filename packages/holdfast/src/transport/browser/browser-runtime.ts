// The runtime of a page or a worker: its clocks, its timers and its randomness.

import { GlobalClock } from "../../connection/global-clock.js";
import type { Random } from "../../connection/ports.js";
import { Runtime } from "../../connection/runtime.js";
import { browserPlatform } from "./browser-platform.js";

let shared: Runtime | null = null;

/** The one that all connections of this page or worker share. */
export function browserRuntime(): Runtime {
  return (shared ??= new Runtime(browserClock, browserRandom, null, browserPlatform));
}

/**
 * Milliseconds that stand for a poll for I/O, of which a page knows nothing: messages come from another process, and
 * after a stall they may come behind the timer that has been due. No more than a verdict may be late.
 */
const POLL = 20;

const { setTimeout, clearTimeout } = globalThis;

const browserClock = new GlobalClock(globalThis, {
  Date,
  performance,
  setTimeout,
  clearTimeout,
  watch: (callback, delay) => void setTimeout(callback, delay),
  outsideContexts: (callback) => callback(),
  afterPoll: (callback) => void setTimeout(callback, POLL),
  atTurnEnd: (callback) => queueMicrotask(callback),
});

const browserRandom: Random = {
  // The random bytes of this library are few and in memory of their own.
  fill: (target) => void crypto.getRandomValues(target as Uint8Array<ArrayBuffer>),
};
