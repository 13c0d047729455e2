// The runtime of a Node.js process: its clocks and its randomness. Bun and Deno provide the same APIs.

import { AsyncResource } from "node:async_hooks";
import { nodeModule } from "../../protocol/node-module.js";
import { GlobalClock } from "../../shared/global-clock.js";
import type { Random } from "../../connection/ports.js";
import { FrameRuntime } from "../frames/frame-runtime.js";
import { channelObserver } from "./channels.js";
import { nodePlatform } from "./node-platform.js";

const { randomFillSync } = nodeModule("node:crypto");
// Applications replace the global ones, for example in tests.
const { performance } = nodeModule("node:perf_hooks");
const { clearTimeout, setImmediate, setTimeout } = nodeModule("node:timers");
const realNow = performance.now.bind(performance);

/** Milliseconds between two looks for a stall. Pings may be much further apart. */
const STALL_CHECK = 500;

let shared: FrameRuntime | null = null;

/** The runtime that all connections of this process share. */
export function nodeRuntime(): FrameRuntime {
  return (shared ??= new NodeRuntime(nodeClock, nodeRandom, channelObserver, nodePlatform));
}

class NodeRuntime extends FrameRuntime {
  #isWatching = false;

  override watchStalls(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const dueAt = realNow() + STALL_CHECK;
    watch(() => {
      this.#isWatching = false;
      if (this.timers.size === 0) return; // The next deadline of a heartbeat starts it again.
      this.watchStalls();
      const gap = realNow() - dueAt;
      // While timers are fake, the time of the connections is another one.
      if (gap >= STALL_CHECK && globalThis.setTimeout === setTimeout) this.timers.onStall(gap);
    }, STALL_CHECK);
  }
}

/**
 * Created when the library is loaded, outside of any request. Callbacks that run in it do not keep any
 * request's `AsyncLocalStorage` alive.
 */
const root = new AsyncResource("HoldfastRoot");
const nextTick = process.nextTick.bind(process);
const watch = (callback: () => void, delay: number): void =>
  void root.runInAsyncScope(setTimeout<[]>, undefined, callback, delay).unref();

const nodeClock = new GlobalClock(globalThis, {
  Date,
  performance,
  setTimeout,
  clearTimeout,
  watch,
  outsideContexts: (callback) => root.runInAsyncScope(callback, undefined),
  // 10,000 connections that ping every 5 s would wake up the process 2,000 times a second. Sharing wake-ups
  // reduces the cost of a ping by up to half (docs/performance.md, M5). Deadlines are promised within 50 ms
  // of real time, and the pings of a tenth of a second must not all be sent at once.
  timerSpacing: 32,
  // Timers run before the loop polls and immediates after it, so an immediate set by a timer follows a whole
  // poll phase. Sockets are real even where an application fakes its timers, so these two use the process's
  // own functions.
  afterPoll: (callback) => void root.runInAsyncScope(setImmediate<[]>, undefined, callback),
  // Runs after all promises that are ready, so that a consumer that awaits has already continued and sent its
  // messages. After a socket's callback, Node empties the queue of nextTick() before it runs promise
  // continuations. So the tick is scheduled from a continuation: Node first runs all other continuations,
  // including those that they create.
  atTurnEnd: (callback) => void SETTLED.then(() => root.runInAsyncScope(nextTick, undefined, callback)),
});

const SETTLED = Promise.resolve();

const nodeRandom: Random = {
  fill(target) {
    if (target.length > POOLED_UP_TO) randomFillSync(target);
    else fillFromPool(target);
  },
};

/** Generating the eight bytes of a ping takes 3 µs; taking them from a pool takes 50 ns. */
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
