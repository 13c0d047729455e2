// The runtime of a Node.js process: its clocks and its randomness. Bun and Deno provide the same.

import { AsyncResource } from "node:async_hooks";
import { randomFillSync } from "node:crypto";
import { performance } from "node:perf_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { GlobalClock } from "../../connection/global-clock.js";
import type { Random } from "../../connection/ports.js";
import { FrameRuntime } from "../frames/frame-runtime.js";
import { channelObserver } from "./channels.js";
import { nodePlatform } from "./node-platform.js";

let shared: FrameRuntime | null = null;

/** The one that all connections of this process share. */
export function nodeRuntime(): FrameRuntime {
  return (shared ??= new FrameRuntime(nodeClock, nodeRandom, channelObserver, nodePlatform));
}

/** Made when the library is loaded, outside of any request: what is set up in it keeps nobody's `AsyncLocalStorage`. */
const root = new AsyncResource("HoldfastRoot");
const nextTick = process.nextTick.bind(process);

const nodeClock = new GlobalClock(globalThis, {
  Date,
  performance,
  setTimeout,
  clearTimeout,
  watch: (callback, delay) => void root.runInAsyncScope(setTimeout<[]>, undefined, callback, delay).unref(),
  outsideContexts: (callback) => root.runInAsyncScope(callback, undefined),
  // Ten thousand connections that ping each 5 s would wake up the process two thousand times a second; sharing wake-ups
  // takes up to half off what a ping costs (docs/performance.md, M5). Deadlines are promised within 50 ms of real time,
  // and the pings of a tenth of a second must not come all at once.
  timerSpacing: 32,
  // Timers run before the loop polls and immediates after it, so an immediate set by a timer has a whole poll
  // phase before it. Sockets are real where timers are fake: so these two are the process's own.
  afterPoll: (callback) => void root.runInAsyncScope(setImmediate<[]>, undefined, callback),
  // After the promises that are ready: a consumer that awaits has gone on by then, and sent what it wants to send.
  // In the callback of a socket, Node empties the queue of nextTick() before it runs promise continuations. So the tick
  // is planned from a continuation: Node runs all of those first, the ones that they make included.
  atTurnEnd: (callback) => void SETTLED.then(() => root.runInAsyncScope(nextTick, undefined, callback)),
});

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
