// The runtime of a Node.js process: its clocks and its randomness. Bun and Deno provide the same.

import { randomFillSync } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Clock, Random } from "../connection/ports.js";
import { FrameRuntime } from "../connection/frames/frame-runtime.js";

let shared: FrameRuntime | null = null;

/** The one that all connections of this process share. */
export function nodeRuntime(): FrameRuntime {
  return (shared ??= new FrameRuntime(nodeClock, nodeRandom));
}

const nodeClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(delay, callback) {
    // Node rounds down, and a timer that fires early would only have to be set again.
    const timer = setTimeout(callback, Math.ceil(delay));
    return () => clearTimeout(timer);
  },
  // Timers run before the loop polls and immediates after it, so an immediate set by a timer has a whole poll
  // phase before it.
  afterPoll: (callback) => void setImmediate(callback),
  // After the promises that are ready: a consumer that awaits has gone on by then, and sent what it wants to send.
  atTurnEnd: (callback) => process.nextTick(callback),
};

const nodeRandom: Random = {
  fill: (target) => void randomFillSync(target),
};
