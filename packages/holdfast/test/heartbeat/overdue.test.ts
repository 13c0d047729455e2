import assert from "node:assert/strict";
import { test } from "node:test";
import { answersAfter, answersInTurn, mute } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

const HOUR = 3_600_000;

function overdueLines(simulation: Simulation): string[] {
  return simulation.timeline.filter((line) => line.includes("overdue"));
}

test("C15: before any sample a ping is overdue after a second, once, and the verdict comes long after", () => {
  const simulation = new Simulation({ pingInterval: HOUR }, mute).open().advance(20_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "1000 poll",
    "1000 overdue k1, 1000 of 1000",
    "20000 poll",
    "20000 dead, silent for 20000",
  ]);
});

test("C15: with slow round trips a ping is overdue after three times the smoothed one", () => {
  const simulation = new Simulation({}, answersInTurn([800, 1600], mute)).open().advance(60_000);
  // smoothed: 800, then 7/8 · 800 + 1/8 · 1,600 = 900.
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "800 answered k1 after 800",
    "20000 ping k2",
    "21600 answered k2 after 1600",
    "40000 ping k3",
    "42700 poll",
    "42700 overdue k3, 2700 of 2700",
    "60000 poll",
    "60000 dead, silent for 20000",
  ]);
});

test("C15: with fast round trips a second must still pass", () => {
  const simulation = new Simulation({}, answersInTurn([10], answersAfter(1001))).open().advance(30_000);
  assert.deepEqual(overdueLines(simulation), ["21000 overdue k2, 1000 of 1000"]);
});

test("C15: a pong that is read in the millisecond of the limit is not overdue", () => {
  const simulation = new Simulation({}, answersAfter(1000)).open().advance(19_000);
  assert.deepEqual(simulation.timeline, ["0 ping k1", "1000 poll", "1000 answered k1 after 1000"]);
});

test("C15: each of several pings is reported once, including the application's", () => {
  const simulation = new Simulation({ pingInterval: 2000 }, mute)
    .open()
    .advance(500)
    .ping("mine")
    .advance(5400);
  assert.deepEqual(overdueLines(simulation), [
    "1000 overdue k1, 1000 of 1000",
    "1500 overdue mine, 1000 of 1000",
    "3000 overdue k2, 1000 of 1000",
    "5000 overdue k3, 1000 of 1000",
  ]);
});

test("C15: with a pingTimeout below one second no ping becomes overdue", () => {
  const simulation = new Simulation({ pingTimeout: 900 }, mute).open().advance(10_000);
  assert.deepEqual(simulation.timeline, ["0 ping k1", "900 poll", "900 dead, silent for 900"]);
});

test("C8, C15: after a stall the overdue limit starts again, and our own time does not count", () => {
  const simulation = new Simulation({}, answersInTurn([30], answersAfter(900))).open().advance(19_999);
  simulation.clock.setTimer(2, () => simulation.clock.stall(10_000));
  simulation.advance(15_000);
  assert.deepEqual(overdueLines(simulation), []);
});
