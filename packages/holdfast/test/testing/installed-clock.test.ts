// `FakeClock.install()`: connections on real sockets, and the application's timers, on one fake clock.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { connect, connectPersistent, serve, type PersistentConnection } from "../../build/index.js";
import { FakeClock } from "../../build/testing.js";

let clock: FakeClock;
let restore: () => void;
beforeEach(() => {
  clock = new FakeClock();
  restore = clock.install();
});
afterEach(() => restore());

/** Resolves when the link is in this state. */
function reached(link: PersistentConnection, state: string): Promise<void> {
  return new Promise((resolve) => {
    if (link.status.state === state) resolve();
    else link.on("status", (status) => status.state === state && resolve());
  });
}

test("F2: an installed clock drives the back-off of a client over a real socket", async () => {
  const server = await serve((connection) => connection.closed, { host: "127.0.0.1" });
  const link = connectPersistent(server.url, { minDelay: 1_000, firstDelay: 2_000, logger: null });
  await reached(link, "open");
  for (const connection of server.connections) connection.terminate();
  await reached(link, "waiting");
  assert.ok(link.status.state === "waiting");
  const { delay } = link.status;
  assert.ok(delay >= 1_000 && delay <= 2_000);
  await clock.advanceAsync(delay - 100);
  assert.equal(link.status.state, "waiting");
  await clock.advanceAsync(150); // Wake-ups share a raster of 32 ms.
  await reached(link, "open");
  assert.equal(server.connections.size, 1);
  await link.close();
  await server.close();
});

test("C1: an hour of pings on real sockets loses none", async () => {
  const server = await serve((connection) => connection.closed, { pingInterval: null });
  const connection = await connect(server.url, { pingInterval: 20_000, pingTimeout: 20_000 });
  for (let minute = 0; minute < 60; minute++) await clock.advanceAsync(60_000);
  const { answered, lost } = connection.latencyStats;
  assert.equal(lost, 0);
  assert.ok(answered >= 180 && answered <= 181, `${answered}`);
  await connection.close();
  await server.close();
});

test("E5: the session of an application expires by its own setTimeout()", async () => {
  const server = await serve(async (connection) => {
    const expiry = setTimeout(() => void connection.close(3000, "session expired"), 3_600_000);
    await connection.closed;
    clearTimeout(expiry);
  });
  const connection = await connect(server.url);
  await clock.advanceAsync(3_599_999);
  assert.equal(connection.state, "open");
  await clock.advanceAsync(1);
  const { code, reason } = await connection.closed;
  assert.deepEqual({ code, reason }, { code: 3000, reason: "session expired" });
  await server.close();
});

test("E5: Date and performance move with the clock, and are restored", () => {
  assert.equal(new Date().toISOString(), "2026-01-01T12:00:00.000Z");
  assert.equal(Date().slice(0, 15), new Date(clock.wallNow()).toString().slice(0, 15));
  assert.equal(new Date(0).getTime(), 0);
  assert.equal(new Date(2026, 0, 2).getDate(), 2);
  assert.ok(new Date() instanceof Date);
  assert.equal(Date.parse("2026-01-01T12:00:00Z"), Date.now());
  clock.advance(1_500);
  assert.deepEqual([performance.now(), Date.now()], [1_500, Date.UTC(2026, 0, 1, 12, 0, 1, 500)]);
  restore();
  assert.ok(Math.abs(Date.now() - performance.timeOrigin - performance.now()) < 60_000);
  assert.ok(!Object.hasOwn(performance, "now"));
});

test("E5: a mock that was there before the clock is there again after it", (t) => {
  restore();
  t.after(() => void Reflect.deleteProperty(performance, "now"));
  const mock = { value: () => 42, writable: true, enumerable: false, configurable: true };
  Object.defineProperty(performance, "now", mock);
  new FakeClock().install()();
  assert.deepEqual(Object.getOwnPropertyDescriptor(performance, "now"), mock);
});

test("E5: timers have their arguments, and can be cleared, refreshed and repeated, as in Node.js", () => {
  const seen: unknown[] = [];
  const add = (...args: unknown[]): void => void seen.push(clock.now(), ...args);
  setTimeout(add, 10, "a", 2);
  clearTimeout(setTimeout(add, 5));
  clearTimeout(Number(setTimeout(add, 5)));
  clearTimeout(undefined);
  const late = setTimeout(add, 20, "late");
  const repeated = setInterval(add, 30, "again");
  setTimeout(add, 2 ** 40, "too large"); // 1 ms
  assert.deepEqual([late.hasRef(), late.unref().hasRef(), late.ref().hasRef()], [true, false, true]);
  clock.advance(15);
  late.refresh();
  clock.advance(50);
  clearInterval(repeated);
  clock.advance(1_000);
  assert.deepEqual(seen, [1, "too large", 10, "a", 2, 30, "again", 35, "late", 60, "again"]);
  assert.equal(clock.pendingTimers, 0);
});

test("E5: promisify(setTimeout) waits on the clock, and its signal ends the wait", async () => {
  const sleep = promisify(setTimeout);
  const waiting = sleep(100, "slept");
  await clock.advanceAsync(100);
  assert.equal(await waiting, "slept");
  const aborter = new AbortController();
  const aborted = sleep(100, "never", { signal: aborter.signal });
  aborter.abort("why");
  await assert.rejects(aborted, { name: "AbortError", code: "ABORT_ERR", cause: "why" });
  await assert.rejects(sleep(100, "never", { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(clock.pendingTimers, 0);
});

test("E5: a timer that was set before the clock is cleared for real, and clears no other timer", () => {
  restore();
  const realTimers = (): number =>
    process.getActiveResourcesInfo().filter((each) => each === "Timeout").length;
  const before = realTimers();
  const early = setTimeout(() => assert.fail("The timer was cleared."), 0);
  const byNumber = setTimeout(() => assert.fail("The timer was cleared."), 0);
  clock = new FakeClock();
  restore = clock.install();
  let count = 0;
  for (let timers = 0; timers < 1_000; timers++) setTimeout(() => count++, 5);
  clearTimeout(early);
  clearTimeout(Number(byNumber));
  assert.equal(realTimers(), before);
  for (const nothing of [Symbol("none"), true, [1], { valueOf: () => 1e12 }, null, "x"])
    clearTimeout(nothing as never);
  clock.advance(5);
  assert.equal(count, 1_000);
});

test("G9: a callback that is none, and times that are none, are refused when they are given", () => {
  const none = null as unknown as () => void;
  assert.throws(() => setTimeout(none, 5), /Expected `callback` to be a function, got null/);
  assert.throws(() => clock.setTimer(5, undefined as never), /Expected `callback` to be a function/);
  for (const wrong of [Number.NaN, -1, Infinity, "5", 5n, undefined] as number[]) {
    for (const move of ["advance", "stall", "jumpMonotonic"] as const)
      assert.throws(() => clock[move](wrong), { name: "RangeError", message: /0 or more milliseconds, got/ });
    if (wrong !== -1)
      assert.throws(() => clock.suspend(wrong), /to suspend to be a finite number of millisec/);
    if (wrong !== -1 && wrong !== undefined)
      assert.throws(() => new FakeClock({ now: wrong }), /Expected `now` to be a finite number of millisec/);
  }
  assert.throws(() => new FakeClock(null as never), /to be an object, got null/);
  assert.throws(() => new FakeClock({ wall: 5 } as never), /got `wall`/);
  assert.equal(clock.now(), 0);
});

test("G9: a second clock is refused until the first is restored", () => {
  assert.throws(() => new FakeClock().install(), /Expected no installed fake clock/);
  restore();
  const again = new FakeClock().install();
  restore(); // It is over, and restores nothing.
  assert.throws(() => new FakeClock().install(), /Expected no installed fake clock/);
  again();
});
