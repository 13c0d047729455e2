import assert from "node:assert/strict";
import { test } from "node:test";
import { Stagger } from "../../build/server/shutdown/stagger.js";
import { Harness, sharedRuntime } from "../connection/harness.js";

test("G4: each connection has its own slot, and a random moment within it", () => {
  const shared = sharedRuntime();
  const { clock, runtime } = shared;
  const connections = Array.from({ length: 8 }, () => new Harness({ shared }).connection);
  const beganAt = clock.now();
  const times: number[] = [];
  new Stagger(runtime, connections, 800, () => times.push(clock.now() - beganAt));
  clock.advance(800);
  assert.deepEqual(
    times.map((time) => Math.floor(time / 100)),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  const offsets = times.map((time) => time % 100);
  assert(new Set(offsets).size > 4, `Expected chance, got ${offsets.join()}`);
  assert.equal(runtime.timers.size, 0);
});

test("G4: without a spread all are called at once; one that is stopped calls no more", () => {
  const shared = sharedRuntime();
  const { clock, runtime } = shared;
  const connections = Array.from({ length: 4 }, () => new Harness({ shared }).connection);
  let calls = 0;
  new Stagger(runtime, connections, 0, () => calls++);
  assert.equal(calls, 4);
  const stagger = new Stagger(runtime, connections, 400, () => calls++);
  clock.advance(200);
  stagger.stop();
  clock.advance(1_000);
  assert.equal(calls, 6);
  assert.equal(runtime.timers.size, 0);
  new Stagger(runtime, [], 400, () => calls++);
  assert.equal(runtime.timers.size, 0);
});
