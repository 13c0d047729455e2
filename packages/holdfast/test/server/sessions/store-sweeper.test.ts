import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "holdfast-testkit";
import type { Runtime } from "../../../build/connection/runtime.js";
import { TimerQueue } from "../../../build/connection/timer-queue.js";
import { StoreCalls } from "../../../build/server/sessions/store-calls.js";
import { StoreSweeper } from "../../../build/server/sessions/store-sweeper.js";

test("L6: the store is swept every minute while there are sessions, also if a sweep failed, until the end", async () => {
  const clock = new FakeClock();
  const sweeps: number[] = [];
  const failures: unknown[] = [];
  const unused = (): Promise<never> => Promise.reject(new Error("unused"));
  const store = {
    claim: unused,
    save: unused,
    append: unused,
    remove: unused,
    sweep: (wallNow: number) => {
      sweeps.push(clock.now());
      assert.equal(wallNow, clock.wallNow());
      return sweeps.length === 1 ? Promise.reject(new Error("disk full")) : Promise.resolve(0);
    },
  };
  // The sweeper uses the clock and the timers only.
  const runtime = { clock, timers: new TimerQueue(clock) } as unknown as Runtime;
  const sweeper = new StoreSweeper(new StoreCalls(store, clock), runtime, (error) => failures.push(error));
  await clock.advanceAsync(120_000);
  assert.deepEqual(sweeps, []);
  sweeper.begin();
  sweeper.begin();
  await clock.advanceAsync(180_000);
  assert.deepEqual(sweeps, [180_000, 240_000, 300_000]);
  assert.equal(failures.length, 1);
  sweeper.stop();
  sweeper.begin();
  await clock.advanceAsync(180_000);
  assert.equal(sweeps.length, 3);
});
