// The runtime of a Node.js process: its clocks and its randomness. Bun and Deno provide the same.

import { randomFillSync } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Clock, Random } from "../connection/ports.js";
import { FrameRuntime } from "../connection/frames/frame-runtime.js";
import { channelMonitor } from "./channels.js";

let shared: FrameRuntime | null = null;

/** The one that all connections of this process share. */
export function nodeRuntime(): FrameRuntime {
  return (shared ??= new FrameRuntime(nodeClock, nodeRandom, channelMonitor));
}

const nodeClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  // Ten thousand connections that ping each 5 s would wake up the process two thousand times a second; sharing wake-ups
  // takes up to half off what a ping costs (docs/performance.md, M5). Deadlines are promised within 50 ms of real time,
  // and the pings of a tenth of a second must not come all at once.
  timerSpacing: 32,
  setTimer(delay, callback) {
    // Node rounds down, and a timer that fires early would only have to be set again.
    const timer = setTimeout(callback, Math.ceil(delay));
    return () => clearTimeout(timer);
  },
  // Timers run before the loop polls and immediates after it, so an immediate set by a timer has a whole poll
  // phase before it.
  afterPoll: (callback) => void setImmediate(callback),
  // After the promises that are ready: a consumer that awaits has gone on by then, and sent what it wants to send.
  // In the callback of a socket, Node empties the queue of nextTick() before it runs promise continuations. So the tick
  // is planned from a continuation: Node runs all of those first, the ones that they make included.
  atTurnEnd: (callback) => void SETTLED.then(() => process.nextTick(callback)),
};

const SETTLED = Promise.resolve();

const nodeRandom: Random = {
  fill(target) {
    if (target.length > POOLED_UP_TO) randomFillSync(target);
    else fillFromPool(target);
  },
};

/** A call for the eight bytes of a ping costs 3 µs, and the same bytes out of a pool 50 ns. */
const POOLED_UP_TO = 64;
const pool = new Uint8Array(4096);
let used = pool.length;

function fillFromPool(target: Uint8Array): void {
  if (used + target.length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  for (let index = 0; index < target.length; index++) target[index] = pool[used++];
}
