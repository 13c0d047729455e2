import assert from "node:assert/strict";
import { test } from "node:test";
import { answersAfter, answersInTurn, mute } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

const HOUR = 3_600_000;

test("C9: three sleeps give a mute peer a fresh probe each; after that only the time slept is added", () => {
  const simulation = new Simulation({ pingInterval: 10 * HOUR }, mute).open().advance(500);
  for (let sleep = 0; sleep < 4; sleep++) simulation.sleep(HOUR, "both").advance(500);
  simulation.advance(60_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    // Each gap is counted from the next due time: when the ping becomes overdue, a second after it was sent.
    "3600500 suspended 3599500",
    "3600500 poll",
    "3600500 ping k2",
    "7201000 suspended 3599500",
    "7201000 poll",
    "7201000 ping k3",
    "10801500 suspended 3599500",
    "10801500 poll",
    "10801500 ping k4",
    "14402000 suspended 3599500",
    "14402000 poll",
    // No more probes: k4's time continues, without the 3,599,500 ms of the fourth gap.
    "14402000 overdue k1, 14402000 of 14402000",
    "14402000 overdue k2, 10801500 of 10801500",
    "14402000 overdue k3, 7201000 of 7201000",
    "14402000 overdue k4, 3600500 of 3600500",
    "14421000 poll",
    "14421000 dead, silent for 3619500",
  ]);
});

test("C9: each pong renews the graces: a live peer gets a fresh probe after any number of sleeps", () => {
  const simulation = new Simulation({ pingInterval: 1000 * HOUR }, answersAfter(300)).open().advance(100);
  for (let sleep = 1; sleep <= 10; sleep++) {
    // The newest probe is in flight, and the one before it is answered by now.
    simulation.sleep(HOUR, "both");
    assert.equal(simulation.queued.length, 1 + sleep);
    simulation.advance(250);
  }
  simulation.advance(HOUR);
  assert.equal(simulation.isOver, false);
});

test("C8: a long poll phase, in which other code is busy, also counts as our own time", () => {
  const simulation = new Simulation({ pingInterval: 10 * HOUR }, mute).open().advance(19_999);
  simulation.clock.setTimer(1, () => simulation.clock.atPoll(() => simulation.clock.stall(5000)));
  simulation.advance(30_001);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "1000 poll",
    "1000 overdue k1, 1000 of 1000",
    "20000 poll",
    "25000 suspended 5000",
    "25000 ping k2",
    "26000 poll",
    "26000 overdue k2, 1000 of 1000",
    "45000 poll",
    "45000 dead, silent for 20000",
  ]);
});

test("C14: a round trip that includes a sleep or a pause is not a sample", () => {
  const peer = answersInTurn([1500], mute);
  const asleep = new Simulation({}, peer).open().sleep(HOUR, "wall").advance(2000);
  assert.ok(asleep.timeline.includes("1500 answered k1 after 1500"));
  assert.equal(asleep.heartbeat.statistics.last, null);
  const paused = new Simulation({}, answersAfter(300))
    .open()
    .advance(100)
    .pause()
    .advance(800)
    .resume()
    .advance(10);
  assert.deepEqual(paused.timeline, ["0 ping k1", "900 answered k1 after 900"]);
  assert.equal(paused.heartbeat.statistics.last, null);
});

test("C9: a sleep that is detected without a ping in flight is probed at once, not at the next slot", () => {
  const simulation = new Simulation({}, answersInTurn([30, null], mute)).open().advance(5000).ping("mine");
  simulation.sleep(HOUR, "wall").advance(25_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "30 answered k1 after 30",
    "5000 ping mine",
    "6000 suspended 3600000",
    "6000 poll",
    "6000 ping k2",
    "7000 poll",
    "7000 overdue mine, 2000 of 2000",
    "7000 overdue k2, 1000 of 1000",
    "20000 ping k3",
    "21000 poll",
    "21000 overdue k3, 1000 of 1000",
    "26000 poll",
    "26000 dead, silent for 20000",
  ]);
});

test("C8: a gap counts from a second on, or from half of pingTimeout where that is less", () => {
  for (const { pingTimeout, threshold } of [
    { pingTimeout: 20_000, threshold: 1000 },
    { pingTimeout: 900, threshold: 450 },
    { pingTimeout: null, threshold: 1000 },
  ]) {
    for (const [late, suspended] of [
      [threshold - 1, []],
      [threshold, [`${20_000 + threshold} suspended ${threshold}`]],
    ] as const) {
      const simulation = new Simulation({ pingTimeout }, answersAfter(30)).open().advance(19_000);
      simulation.stall(1000 + late).advance(0);
      assert.deepEqual(
        simulation.timeline.filter((line) => line.includes("suspended")),
        suspended,
      );
    }
  }
});

test("C8: the longest gap is kept for the evidence", () => {
  const simulation = new Simulation({}, answersAfter(30)).open().advance(19_000);
  simulation.stall(6000).advance(14_000).stall(3000).advance(1000);
  assert.equal(simulation.heartbeat.longestGap, 5000);
});
