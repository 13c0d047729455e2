import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { activeResources, assertNothingLeft } from "./resources.js";
import { assertWithin, blockEventLoop, eventually, inAttempts, withTimeout } from "./waiting.js";

describe("waiting", () => {
  test("withTimeout() settles with the promise, or rejects with the name of the missing event", async () => {
    const before = activeResources();
    assert.equal(await withTimeout(Promise.resolve(7), 1_000, "seven"), 7);
    await assert.rejects(withTimeout(Promise.reject(new Error("own")), 1_000, "an error"), /own/);
    await assert.rejects(withTimeout(new Promise(() => undefined), 5, "nothing"), /Waited 5 ms for nothing/);
    await assertNothingLeft(before);
  });

  test("eventually() waits until something is true", async () => {
    let rounds = 0;
    await eventually(() => ++rounds === 3, "three rounds");
    await assert.rejects(
      eventually(() => false, "the impossible", 5),
      /Waited 5 ms for the impossible/,
    );
  });

  test("assertWithin() takes one of three attempts, and rejects with what all of them took", async () => {
    const times = [30, 20, 9];
    await assertWithin(10, () => Promise.resolve(times.shift() ?? 0));
    assert.deepEqual(times, []);
    await assert.rejects(
      assertWithin(10, () => Promise.resolve(10.2)),
      /^Error: Expected less than 10 ms, got 10, 10, 10$/,
    );
  });

  test("inAttempts() stops at the first of three attempts that succeeds, and at one that throws", async () => {
    const results = [false, true, true];
    await inAttempts(() => Promise.resolve(results.shift() ?? false), "luck");
    assert.deepEqual(results, [true]);
    await assert.rejects(
      inAttempts(() => Promise.resolve(false), "luck"),
      /^Error: Expected luck, in one of three attempts$/,
    );
    let calls = 0;
    const broken = (): Promise<boolean> => Promise.reject(new Error(`broken ${++calls}`));
    await assert.rejects(inAttempts(broken, "luck"), /^Error: broken 1$/);
  });

  test("blockEventLoop() blocks everything else", () => {
    let hasRun = false;
    setImmediate(() => (hasRun = true));
    const start = performance.now();
    blockEventLoop(30);
    assert.ok(performance.now() - start >= 29);
    assert.equal(hasRun, false);
  });
});

describe("assertNothingLeft", () => {
  test("names the resources that keep the process alive, until they are gone", async () => {
    const before = activeResources();
    const timer = setTimeout(() => undefined, 60_000);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await assert.rejects(
      assertNothingLeft(before, { timeout: 20 }),
      /^Error: Left behind after 20 ms: (1 × TCPServerWrap, 1 × Timeout|1 × Timeout, 1 × TCPServerWrap)$/,
    );
    clearTimeout(timer);
    server.close();
    await assertNothingLeft(before);
  });
});
