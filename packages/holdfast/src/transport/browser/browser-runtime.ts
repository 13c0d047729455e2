// The runtime of a page or a worker: its clocks, its timers and its randomness.

import { GlobalClock } from "../../shared/global-clock.js";
import type { Random } from "../../connection/ports.js";
import { Runtime } from "../../connection/runtime.js";
import type { Streaming } from "../../connection/reading/streaming.js";
import { browserPlatform } from "./browser-platform.js";

let shared: Runtime | null = null;

/** The runtime that all connections of this page or worker share. */
export function browserRuntime(): Runtime {
  return (shared ??= newBrowserRuntime(null));
}

/** @param streaming null for transports that deliver only whole messages, as the browser's WebSocket does */
export function newBrowserRuntime(streaming: Streaming | null): Runtime {
  return new Runtime(browserClock, browserRandom, null, browserPlatform, streaming);
}

/**
 * Milliseconds that stand for one poll for I/O. A page cannot observe polls: another process delivers its
 * messages, and after a stall they may arrive after an overdue timer fires. A verdict may not be delayed by
 * more than this.
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
  // Safe: this library only passes small arrays, which are not in shared memory.
  fill: (target) => void crypto.getRandomValues(target as Uint8Array<ArrayBuffer>),
};
