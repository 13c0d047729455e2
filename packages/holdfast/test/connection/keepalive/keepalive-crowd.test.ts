import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, SeededRandom } from "holdfast-testkit";
import { Runtime } from "../../../build/connection/runtime.js";
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

/** Ten thousand connections that opened evenly over an interval, with the timer of Node's clock. */
function evenCrowd(
  interval: number,
  answers: boolean,
): { clock: FakeClock; opens: number[]; hosts: FakeHost[] } {
  const clock = Object.assign(new FakeClock(), { timerSpacing: 32 });
  const runtime = new Runtime(clock, new SeededRandom(16));
  const opens: number[] = [];
  const hosts = Array.from({ length: COUNT }, (_, index) => {
    clock.advance((index * interval) / COUNT - clock.now());
    const host = new FakeHost(runtime, clock, { pingInterval: interval, pingTimeout: interval });
    if (answers) {
      host.onTold = (what) => {
        if (what !== "ping") return;
        clock.atPoll(() => void host.pulse.onPong(host.pings.splice(0)[0].payload, clock.now()));
      };
    }
    opens.push(clock.now());
    host.pulse.open();
    return host;
  });
  return { clock, opens, hosts };
}

for (const interval of [5_000, 20_000]) {
  test(`C1, C16: of ten thousand with a ping each ${interval / 1000} s, pings share wake-ups, up to 100 ms late, on the same grid`, () => {
    const { clock, opens, hosts } = evenCrowd(interval, true);
    clock.advance(20 * interval);
    const late: number[] = [];
    const last: number[] = [];
    for (const [index, host] of hosts.entries()) {
      const times = host.log.filter((line) => line.endsWith(" ping")).map((line) => parseFloat(line));
      assert.ok(times.length >= 20, `${times.length} pings`);
      late.push(...times.map((time, count) => time - opens[index] - count * interval));
      last.push(...times.slice(10, 12));
      assert.ok(host.log.every((line) => line.endsWith(" ping")));
    }
    assert.ok(Math.min(...late.slice(0, COUNT)) >= 0);
    const latest = late.reduce((most, each) => Math.max(most, each), 0);
    assert.ok(latest > 32 && latest <= 100, `up to ${latest} ms late`);
    const share =
      mostInAnyWindow(
        last.sort((one, other) => one - other),
        100,
      ) / COUNT;
    assert.ok(share <= 0.03, `${(share * 100).toFixed(2)} % of the pings of an interval within 100 ms`);
  });
}

test("C1: a lone connection pings at the millisecond of its grid, with the timer of Node's clock", () => {
  const clock = Object.assign(new FakeClock(), { timerSpacing: 32 });
  const host = new FakeHost(new Runtime(clock, new SeededRandom(16)), clock);
  host.onTold = (what) => {
    if (what === "ping")
      clock.atPoll(() => void host.pulse.onPong(host.pings.splice(0)[0].payload, clock.now()));
  };
  clock.advance(7);
  host.pulse.open();
  clock.advance(4 * INTERVAL);
  assert.deepEqual(
    host.log,
    [0, 1, 2, 3, 4].map((slot) => `${7 + slot * INTERVAL} ping`),
  );
});

test("C5, C16: verdicts on ten thousand mute peers are put off into no slot", () => {
  const { clock, hosts, opens } = evenCrowd(5_000, false);
  clock.advance(6_000);
  for (const [index, host] of hosts.entries()) {
    const verdict = host.log.find((line) => line.includes("dead")) ?? assert.fail(`${index} has no verdict`);
    const late = parseFloat(verdict) - opens[index] - 5_000;
    assert.ok(late >= 0 && late <= 32, `${late} ms late`);
  }
});
