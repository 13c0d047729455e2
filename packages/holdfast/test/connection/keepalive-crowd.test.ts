import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, SeededRandom } from "holdfast-testkit";
import { Runtime } from "../../build/connection/runtime.js";
import { FakeHost, OPTIONS } from "./keepalive-host.js";

const COUNT = 10_000;
const INTERVAL = OPTIONS.pingInterval ?? 0;

test("C16: ten thousand idle connections: one timer, pings spread like the openings, and nothing left behind", () => {
  const clock = new FakeClock();
  let mostTimers = 0;
  const setTimer = clock.setTimer.bind(clock);
  clock.setTimer = (delay, callback) => {
    const cancel = setTimer(delay, callback);
    mostTimers = Math.max(mostTimers, clock.pendingTimers);
    return cancel;
  };
  const runtime = new Runtime(clock, new SeededRandom(16));
  const random = new SeededRandom(17);
  const opens = Array.from({ length: COUNT }, () => random.integer(0, INTERVAL - 1)).sort(
    (one, other) => one - other,
  );
  const pingTimes: number[] = [];
  const hosts = opens.map((openAt) => {
    clock.advance(openAt - clock.now());
    const host = new FakeHost(runtime, clock);
    // The peer answers within the same turn of the loop.
    host.onTold = (what) => {
      assert.equal(what, "ping");
      pingTimes.push(clock.now());
      clock.atPoll(() => void host.pulse.onPong(host.pings.splice(0)[0].payload, clock.now()));
    };
    host.pulse.open();
    return host;
  });
  clock.advance(5 * INTERVAL - 1 - clock.now());

  // Each interval repeats the times of opening to the millisecond, so no window of 100 ms holds more pings
  // than opens.
  assert.deepEqual(
    pingTimes,
    [0, 1, 2, 3, 4].flatMap((round) => opens.map((openAt) => openAt + round * INTERVAL)),
  );
  assert.ok(mostInAnyWindow(pingTimes, 100) <= 0.03 * COUNT);
  assert.equal(mostTimers, 1);
  assert.equal(runtime.timers.size, COUNT);

  for (const host of hosts) host.pulse.end(() => new Error("the connection ended"));
  assert.deepEqual([runtime.timers.size, clock.pendingTimers], [0, 0]);
});

test("C8, C16: after a stall each of ten thousand sends one ping, and then they spread as before", () => {
  const clock = new FakeClock();
  const runtime = new Runtime(clock, new SeededRandom(16));
  let pings = 0;
  let suspended = 0;
  for (let index = 0; index < COUNT; index++) {
    const host = new FakeHost(runtime, clock);
    host.onTold = (what) => {
      if (what.startsWith("suspended")) suspended++;
      if (what !== "ping") return;
      pings++;
      clock.atPoll(() => void host.pulse.onPong(host.pings.splice(0)[0].payload, clock.now()));
    };
    host.pulse.open();
    clock.advance(2);
  }
  pings = 0;
  clock.stall(3 * INTERVAL);
  assert.deepEqual([pings, suspended], [COUNT, COUNT]);
  const perWindow: number[] = [];
  for (let window = 0; window < INTERVAL / 100; window++) {
    pings = 0;
    clock.advance(100);
    perWindow.push(pings);
  }
  assert.deepEqual(new Set(perWindow), new Set([50]));
});

function mostInAnyWindow(times: readonly number[], width: number): number {
  let most = 0;
  for (let start = 0, end = 0; end < times.length; end++) {
    while (times[start] <= times[end] - width) start++;
    most = Math.max(most, end - start + 1);
  }
  return most;
}
