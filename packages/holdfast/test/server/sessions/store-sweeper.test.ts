import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "holdfast-testkit";
import type { Runtime } from "../../../build/connection/runtime.js";
import { TimerQueue } from "../../../build/connection/timer-queue.js";
import { StoreCalls } from "../../../build/server/sessions/store-calls.js";
import { StoreSweeper } from "../../../build/server/sessions/store-sweeper.js";

interface Sweeping {
  readonly clock: FakeClock;
  readonly sweeper: StoreSweeper;
  /** The times of sweeps, and "renew" for renewals. */
  readonly events: (number | string)[];
  readonly failures: unknown[];
}

function sweeping(): Sweeping {
  const clock = new FakeClock();
  const events: (number | string)[] = [];
  const failures: unknown[] = [];
  const unused = (): Promise<never> => Promise.reject(new Error("unused"));
  const store = {
    claim: unused,
    save: unused,
    append: unused,
    remove: unused,
    sweep: (wallNow: number) => {
      events.push(clock.now());
      assert.equal(wallNow, clock.wallNow());
      return events.length === 1 ? Promise.reject(new Error("disk full")) : Promise.resolve(0);
    },
  };
  // The sweeper uses the clock and the timers only.
  const runtime = { clock, timers: new TimerQueue(clock) } as unknown as Runtime;
  const sweeper = new StoreSweeper(
    new StoreCalls(store, clock),
    runtime,
    () => events.push("renew"),
    (error) => failures.push(error),
  );
  return { clock, sweeper, events, failures };
}

test("L6: the store is swept every minute while there are sessions, also if a sweep failed, until the end", async () => {
  const { clock, sweeper, events, failures } = sweeping();
  await clock.advanceAsync(120_000);
  assert.deepEqual(events, []);
  sweeper.begin();
  sweeper.begin();
  await clock.advanceAsync(180_000);
  assert.deepEqual(events, [180_000, 240_000, 300_000]);
  assert.equal(failures.length, 1);
  sweeper.stop();
  sweeper.begin();
  await clock.advanceAsync(180_000);
  assert.equal(events.length, 3);
});

test("L6: after a step of the clock, a suspension or a stall, the sessions of the process are renewed instead of one sweep", async () => {
  const { clock, sweeper, events } = sweeping();
  sweeper.begin();
  clock.suspend(900);
  await clock.advanceAsync(60_000);
  clock.suspend(600_000);
  await clock.advanceAsync(120_000);
  clock.stall(300_000);
  await clock.advanceAsync(60_000);
  clock.suspend(-600_000);
  await clock.advanceAsync(60_000);
  assert.deepEqual(events, [60_000, "renew", 180_000, "renew", 540_000, 600_000]);
});

test("L6: a process whose every sweep is late sweeps every second time", async () => {
  const { clock, sweeper, events } = sweeping();
  sweeper.begin();
  for (let round = 0; round < 4; round++) {
    clock.stall(70_000);
    await clock.advanceAsync(0);
  }
  assert.deepEqual(events, ["renew", 140_000, "renew", 280_000]);
});
