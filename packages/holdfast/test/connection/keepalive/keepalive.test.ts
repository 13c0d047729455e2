import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FakeClock, SeededRandom } from "holdfast-testkit";
import { Runtime } from "../../../build/connection/runtime.js";
import { bytes, FakeHost, newHost } from "./keepalive-host.js";

const ENDED = new Error("the connection ended");

test("C2: keepalive payloads are 8 random bytes, all different", () => {
  const host = newHost({ pingTimeout: null });
  host.pulse.open();
  host.clock.advance(100 * 20_000);
  assert.equal(host.pings.length, 101);
  assert.ok(host.pings.every(({ payload }) => payload.length === 8));
  assert.equal(new Set(host.pings.map(({ key }) => key)).size, 101);
});

test("C2: random bytes that equal those of a ping in flight are drawn again", () => {
  const draws = [7, 7, 7, 9];
  const random = {
    fill: (target: Uint8Array) => void target.fill(target.length === 8 ? (draws.shift() ?? 0) : 1),
  };
  const clock = new FakeClock();
  const host = new FakeHost(new Runtime(clock, random), clock);
  host.pulse.open();
  clock.advance(1);
  assert.deepEqual([...host.pulse.newPayload()], Array(8).fill(9));
  assert.equal(draws.length, 0);
});

test("C2: a payload is in flight until its pong, which is compared byte for byte", () => {
  const host = newHost();
  void host.pulse.ping(new Uint8Array([0, 128, 255]), null);
  host.clock.advance(1);
  assert.equal(host.pulse.isInFlight(new Uint8Array([0, 128, 255])), true);
  assert.equal(host.pulse.isInFlight(new Uint8Array([0, 128, 254])), false);
  host.pulse.onPong(new Uint8Array([0, 128, 255]), host.clock.now());
  assert.equal(host.pulse.isInFlight(new Uint8Array([0, 128, 255])), false);
});

test("C3: ping() resolves with its own elapsed time, by its own pong or by that of a later ping", async () => {
  const host = newHost();
  const first = host.pulse.ping(bytes("first"), null);
  host.clock.advance(100);
  const empty = host.pulse.ping(bytes(""), null);
  host.clock.advance(100);
  const last = host.pulse.ping(bytes("last"), null);
  host.clock.advance(50);
  assert.equal(host.pulse.onPong(bytes(""), host.clock.now()), 150);
  assert.deepEqual(await Promise.all([first, empty]), [250, 150]);
  assert.equal(host.pulse.onPong(bytes("first"), host.clock.now()), null);
  host.clock.advance(10);
  assert.equal(host.pulse.onPong(bytes("last"), host.clock.now()), 60);
  assert.equal(await last, 60);
  assert.deepEqual([host.pulse.lastPingAt, host.pulse.lastPongAt], [200, 260]);
});

test("C4: the end rejects every ping in flight in the same turn, and none of them as an unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  const host = newHost();
  host.pulse.open();
  const aborter = new AbortController();
  const waiting = ["a", "b", "c"].map((payload) => host.pulse.ping(bytes(payload), aborter.signal));
  const nobodyAwaits = host.pulse.ping(bytes("d"), null);
  host.clock.advance(500);
  host.pulse.end(() => ENDED);
  // They settle in the turn of the end: each wins the race against a callback after this turn's microtasks.
  const later = new Promise<string>((resolve) => process.nextTick(resolve, "later"));
  const first = await Promise.all(waiting.map((ping) => Promise.race([ping.catch(String), later])));
  assert.deepEqual(
    first,
    waiting.map(() => String(ENDED)),
  );
  await assert.rejects(nobodyAwaits, ENDED);
  assert.equal(host.pulse.heartbeat.pings.size, 0);
  assert.deepEqual(getEventListeners(aborter.signal, "abort"), []);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
  assert.equal(host.clock.pendingTimers, 0);
});

test("C4: an aborted ping rejects with the reason, and is removed from the table and the outbox", async () => {
  const host = newHost();
  const aborter = new AbortController();
  const reason = new Error("too slow for me");
  const ping = host.pulse.ping(bytes("a"), aborter.signal);
  aborter.abort(reason);
  await assert.rejects(ping, reason);
  assert.deepEqual(host.log, ["0 ping", "0 abandon"]);
  assert.equal(host.pulse.isInFlight(bytes("a")), false);
  host.clock.advance(10);
  assert.equal(host.pulse.onPong(bytes("a"), host.clock.now()), null);
  assert.equal(host.pulse.heartbeat.unknownPongs, 1);
  assert.equal(host.clock.pendingTimers, 0);
});

test("C4: an abort after the pong or after the end does nothing", async () => {
  const host = newHost();
  const aborter = new AbortController();
  const answered = host.pulse.ping(bytes("a"), aborter.signal);
  host.clock.advance(5);
  host.pulse.onPong(bytes("a"), host.clock.now());
  const ended = host.pulse.ping(bytes("b"), aborter.signal);
  host.pulse.end(() => ENDED);
  aborter.abort(new Error("late"));
  assert.equal(await answered, 5);
  await assert.rejects(ended, ENDED);
  assert.deepEqual(host.log, ["0 ping", "5 ping"]);
});

test("C4: aborted pings leave nothing behind: neither in the tables nor on the heap", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const host = newHost({ pingInterval: null, pingTimeout: null });
  host.queuePing = () => undefined;
  host.abandonPing = () => undefined;
  const payload = bytes("again and again");
  const abortSome = async (count: number): Promise<number> => {
    for (let ping = 0; ping < count; ping++) {
      const aborter = new AbortController();
      void host.pulse.ping(payload, aborter.signal);
      aborter.abort(ENDED);
      // Rejections are handled between turns, as in an application's event loop.
      if (ping % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await abortSome(10_000);
  const after = await abortSome(40_000);
  // A waiter, its promise and its map entry take more than 100 bytes.
  assert.ok(after - before < 40_000 * 20, `${after - before} bytes more`);
  assert.equal(host.pulse.heartbeat.pings.size, 0);
  assert.equal(host.pulse.heartbeat.statistics.lost, 0);
  assert.equal(host.clock.pendingTimers, 0);
});

test("C5: a mute peer: all events, with one verdict and no timer after the closing", () => {
  const host = newHost({ pingInterval: 15_000 });
  host.onTold = (what) => {
    if (what.startsWith("dead")) host.pulse.beginClosing();
  };
  host.pulse.open();
  host.clock.advance(100_000);
  assert.deepEqual(host.log, [
    "0 ping",
    "1000 overdue 1000 of 1000",
    "15000 ping",
    "16000 overdue 1000 of 1000",
    "20000 dead 20000",
  ]);
  assert.equal(host.clock.pendingTimers, 0);
});

test("C8: a stall with the pong in the kernel is reported, and the connection survives", () => {
  const host = newHost();
  host.pulse.open();
  host.clock.advance(0);
  const [{ payload }] = host.pings;
  host.clock.setTimer(30, () => host.clock.atPoll(() => void host.pulse.onPong(payload, host.clock.now())));
  host.clock.stall(60_000);
  assert.deepEqual(host.log, ["0 ping", "60000 suspended 59000", "60000 ping"]);
});

test("C10: pausing and resuming reach the heartbeat: no verdict over a long pause", () => {
  const host = newHost();
  host.pulse.open();
  host.pulse.pauseReading();
  host.clock.advance(60_000);
  host.pulse.resumeReading();
  host.clock.advance(19_999);
  assert.equal(host.log.filter((line) => line.includes("dead")).length, 0);
  host.clock.advance(1);
  assert.equal(host.log.filter((line) => line.includes("dead")).length, 1);
});

test("C11: the heartbeat receives the time of the newest byte, and traffic causes no polls", () => {
  const host = newHost({ liveness: "traffic" });
  let polls = 0;
  const afterPoll = host.clock.afterPoll.bind(host.clock);
  host.clock.afterPoll = (callback) => {
    polls++;
    afterPoll(callback);
  };
  host.pulse.open();
  host.clock.advance(15_000);
  host.lastReceivedAt = 15_000;
  host.clock.advance(19_999);
  assert.deepEqual(host.log, [
    "0 ping",
    "1000 overdue 1000 of 1000",
    "20000 ping",
    "21000 overdue 1000 of 1000",
  ]);
  assert.equal(polls, 2);
  host.clock.advance(1);
  assert.equal(host.log.at(-1), "35000 dead 35000");
});

test("C2: two connections on one runtime share no payloads", () => {
  const clock = new FakeClock();
  const runtime = new Runtime(clock, new SeededRandom(3));
  const hosts = [new FakeHost(runtime, clock), new FakeHost(runtime, clock)];
  for (const host of hosts) host.pulse.open();
  assert.notDeepEqual(hosts[0].pings[0].payload, hosts[1].pings[0].payload);
});
