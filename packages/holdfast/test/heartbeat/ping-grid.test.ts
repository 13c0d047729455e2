import assert from "node:assert/strict";
import { test } from "node:test";
import { PingGrid } from "../../build/heartbeat/ping-grid.js";
import { answersAfter } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

test("C1: the first ping is sent at once, then one each interval, and nothing else is requested", () => {
  const simulation = new Simulation({ pingInterval: 20_000 }, answersAfter(30)).open().advance(60_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "30 answered k1 after 30",
    "20000 ping k2",
    "20030 answered k2 after 30",
    "40000 ping k3",
    "40030 answered k3 after 30",
    "60000 ping k4",
  ]);
});

test("C1: over 1,000 intervals the grid does not drift at all, whatever the interval", () => {
  for (const pingInterval of [20_000, 1, 333.3, 0.1]) {
    const simulation = new Simulation({ pingInterval, pingTimeout: null }, answersAfter(0)).open();
    for (let slot = 1; slot <= 1000; slot++) simulation.advance(slot * pingInterval - simulation.clock.now());
    simulation.advance(pingInterval / 2);
    const sent = simulation.timeline.filter((line) => line.includes("ping"));
    assert.equal(sent.length, 1001);
    assert.equal(sent[1000], `${1000 * pingInterval} ping k1001`);
  }
});

test("C1: timers that are always late shift no later ping: over 1,000 intervals the drift stays under one", () => {
  const grid = new PingGrid(0, 100);
  for (let ping = 1; ping <= 1000; ping++) {
    const late = grid.nextAt + (ping % 99);
    assert.equal(grid.isDue(late), true);
    grid.advance(late);
    assert.equal(grid.isDue(late), false);
  }
  assert.equal(grid.nextAt, 1001 * 100);
});

test("C1: missed slots are skipped: one ping after a stall, and the next one on the old grid", () => {
  const simulation = new Simulation({ pingInterval: 1000, pingTimeout: 60_000 }, answersAfter(10)).open();
  simulation.advance(1500).stall(7250).advance(1250);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "10 answered k1 after 10",
    "1000 ping k2",
    "1010 answered k2 after 10",
    "8750 suspended 6750",
    "8750 poll",
    "8750 ping k3",
    "8760 answered k3 after 10",
    "9000 ping k4",
    "9010 answered k4 after 10",
    "10000 ping k5",
  ]);
});

test("C1: a slot is never given twice, even where a quotient of times is rounded down", () => {
  for (const interval of [0.1, 0.3, 1 / 3, 7.7, 1234.567]) {
    for (const origin of [0, 0.7, 123_456.789, 1e9 + 1 / 3]) {
      const grid = new PingGrid(origin, interval);
      for (let ping = 0; ping < 500; ping++) {
        const due = grid.nextAt;
        grid.advance(due);
        const gap = grid.nextAt - due;
        assert.ok(gap > 0.99 * interval && gap < 1.01 * interval, `${gap} from ${due}, every ${interval}`);
      }
    }
  }
});

test("C1: data that arrives every 10 ms replaces no ping, with either liveness", () => {
  for (const liveness of ["pong", "traffic"] as const) {
    const simulation = new Simulation({ pingInterval: 1000, liveness }, answersAfter(5)).open();
    for (let chunk = 0; chunk < 310; chunk++) simulation.receiveData().advance(10);
    assert.deepEqual(simulation.timeline, [
      "0 ping k1",
      "5 answered k1 after 5",
      "1000 ping k2",
      "1005 answered k2 after 5",
      "2000 ping k3",
      "2005 answered k3 after 5",
      "3000 ping k4",
      "3005 answered k4 after 5",
    ]);
  }
});

test("C5: `pingInterval: null` sends nothing, waits for nothing and judges nothing", () => {
  const simulation = new Simulation({ pingInterval: null, pingTimeout: null }, answersAfter(5)).open();
  simulation
    .advance(3_600_000)
    .stall(60_000)
    .sleep(3_600_000, "wall")
    .receivePong("stranger")
    .advance(100_000);
  assert.deepEqual(simulation.timeline, []);
  assert.equal(simulation.clock.pendingTimers, 0);
  assert.equal(simulation.heartbeat.nextWake, null);
});

test("C1: nothing is sent once the closing has begun, but pongs in flight are still welcome", () => {
  const simulation = new Simulation({ pingInterval: 1000 }, answersAfter(700)).open();
  simulation.advance(1500).close().advance(10_000).end().advance(10_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "700 answered k1 after 700",
    "1000 ping k2",
    "1700 answered k2 after 700",
  ]);
  assert.equal(simulation.clock.pendingTimers, 0);
});
