import assert from "node:assert/strict";
import { test } from "node:test";
import { Heartbeat } from "../../build/heartbeat/heartbeat.js";
import { answersAfter, answersInTurn, mute, muteFrom } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

const HOUR = 3_600_000;

/** k1 is answered; then the timeline is emptied. */
function settled(simulation: Simulation): Simulation {
  simulation.open().advance(5000);
  assert.deepEqual(simulation.timeline.splice(0), ["0 ping k1", "30 answered k1 after 30"]);
  return simulation;
}

test("C8: a loop blocked for 3 × pingTimeout with the pong in the kernel costs no connection", () => {
  const simulation = new Simulation({}, answersAfter(30)).open().advance(0).stall(60_000).advance(20_030);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    // The first timer was due when the ping became overdue, at 1,000.
    "60000 suspended 59000",
    "60000 poll",
    "60000 answered k1 after 60000",
    "60000 ping k2",
    "60030 answered k2 after 30",
    "80000 ping k3",
    "80030 answered k3 after 30",
  ]);
  assert.equal(simulation.heartbeat.statistics.snapshot().max, 30, "the stalled ping makes no sample");
});

test("C8: a stall between two pings: reported once, with its gap, and the missed slot's ping is sent at once", () => {
  const simulation = settled(new Simulation({}, answersAfter(30)))
    .stall(60_000)
    .advance(15_030);
  assert.deepEqual(simulation.timeline, [
    "65000 suspended 45000",
    "65000 poll",
    "65000 ping k2",
    "65030 answered k2 after 30",
    "80000 ping k3",
    "80030 answered k3 after 30",
  ]);
  assert.equal(simulation.heartbeat.longestGap, 45_000);
});

test("C8: a stall that is first detected by a pong, read before any timer could run, is reported and has no effect", () => {
  const simulation = settled(new Simulation({}, answersInTurn([30, 300], answersAfter(30))));
  simulation.advance(15_100).stallInPoll(60_000).advance(20_000);
  assert.deepEqual(simulation.timeline, [
    "20000 ping k2",
    "80100 suspended 59100",
    "80100 answered k2 after 60100",
    "80100 poll",
    "80100 ping k3",
    "80130 answered k3 after 30",
    "100000 ping k4",
    "100030 answered k4 after 30",
  ]);
  // Our own process caused k2's delay, not the network.
  assert.deepEqual(simulation.heartbeat.statistics.snapshot().max, 30);
});

test("C8: a stall with a dead peer: one fresh ping with a full pingTimeout, then the verdict", () => {
  const simulation = settled(new Simulation({}, muteFrom(20_000, answersAfter(30))));
  simulation.advance(16_500).stall(60_000).advance(100_000);
  assert.deepEqual(simulation.timeline, [
    "20000 ping k2",
    "21000 poll",
    "21000 overdue k2, 1000 of 1000",
    // k2 would have been judged at 40,000.
    "81500 suspended 41500",
    "81500 poll",
    "81500 ping k3",
    "82500 poll",
    "82500 overdue k3, 1000 of 1000",
    "100000 ping k4",
    "101000 poll",
    "101000 overdue k4, 1000 of 1000",
    "101500 poll",
    "101500 dead, silent for 20000",
  ]);
});

test("C8: a process that stalls all the time still detects that its peer is dead, after three graces", () => {
  const simulation = new Simulation({ pingInterval: 5000, pingTimeout: 10_000 }, mute).open();
  for (let round = 0; round < 100 && !simulation.isOver; round++) simulation.stall(2000).advance(400);
  const graces = simulation.timeline.filter((line) => line.includes("suspended")).length;
  assert.equal(simulation.isOver, true);
  // Ran 400 of each 2,400 ms: 3 graces and the time that is added for each gap.
  assert.ok(simulation.clock.now() < 60_000, `after ${simulation.clock.now()} ms and ${graces} gaps`);
});

test("C8: a stall below the threshold is no gap, and a pong in the kernel is still in time", () => {
  const simulation = settled(new Simulation({}, answersInTurn([30, 19_999], answersAfter(30))));
  simulation.advance(34_500).stall(1499).advance(10_000);
  assert.deepEqual(simulation.timeline, [
    "20000 ping k2",
    "21000 poll",
    "21000 overdue k2, 1000 of 1000",
    "40999 poll",
    "40999 answered k2 after 20999",
    "40999 ping k3",
    "41029 answered k3 after 30",
  ]);
});

test("C8: a ping that our blocked turn sent late is not judged by the time of its queueing", () => {
  // The application blocks in the turn in which the connection opened, before anything was flushed.
  const simulation = new Simulation({}, answersAfter(30)).open().stall(60_000).advance(100);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "60000 suspended 59000",
    "60000 poll",
    "60000 ping k2",
    "60030 answered k1 after 30",
    "60030 answered k2 after 30",
  ]);
});

test("C8: an abort or a ping of the application after a stall, before our timer runs, does not hide the stall", () => {
  for (const act of ["abandon", "ping", "pause"] as const) {
    const simulation = settled(new Simulation({}, muteFrom(7000, answersAfter(30))));
    simulation.advance(15_010).ping("mine");
    simulation.timeline.length = 0;
    simulation.clock.atPoll(() => {
      simulation.clock.stall(60_000);
      if (act === "abandon") simulation.abandon("mine");
      else if (act === "ping") simulation.ping("another");
      else simulation.pause().resume();
    });
    simulation.clock.turn();
    simulation.advance(0);
    assert.ok(simulation.timeline.slice(0, 2).includes("80010 suspended 59010"), act);
    assert.equal(simulation.isOver, false, act);
    simulation.advance(20_000);
    assert.equal(simulation.timeline.at(-1), "100010 dead, silent for 20000", act);
  }
});

test("C8: a stall that no time to wake reveals is reported once, and the deadline is later by it", () => {
  const simulation = settled(new Simulation({}, muteFrom(20_000, answersAfter(30)))).advance(16_000);
  assert.deepEqual(simulation.timeline.splice(0), [
    "20000 ping k2",
    "21000 poll",
    "21000 overdue k2, 1000 of 1000",
  ]);
  simulation.advance(4000);
  simulation.observe({ type: "stalled", gap: 3000 });
  simulation.observe({ type: "stalled", gap: 3000 });
  simulation.observe({ type: "stalled", gap: 900 });
  simulation.advance(40_000);
  const lines = simulation.timeline.filter((line) => !line.includes("k3") && !line.includes("poll"));
  assert.deepEqual(lines, ["25000 suspended 3000", "43000 dead, silent for 23000"]);
});

test("C9: where a time to wake passed in the stall as well, a fresh ping is judged", () => {
  const heartbeat = new Heartbeat({ pingInterval: 20_000, pingTimeout: 20_000, liveness: "pong" });
  heartbeat.observe(0, { type: "opened", wallNow: 0 });
  heartbeat.observe(0, { type: "ping-queued", payload: "k1", isKeepalive: true });
  heartbeat.observe(0, { type: "ping-sent", payload: "k1" });
  const times = { wallNow: HOUR, lastReceivedAt: 0 };
  assert.deepEqual(heartbeat.observe(HOUR, { type: "stalled", gap: HOUR - 500 }), [
    { type: "suspended", gap: HOUR - 500 },
  ]);
  assert.deepEqual(heartbeat.observe(HOUR, { type: "wake", ...times }), [{ type: "poll" }]);
  assert.deepEqual(heartbeat.observe(HOUR, { type: "polled", ...times }), [{ type: "send-ping" }]);
});

for (const clocks of ["wall", "monotonic", "both"] as const) {
  const slept = clocks === "wall" ? 0 : HOUR;
  const at = (time: number): number => time + slept;
  // Nothing was due before: the next is the ping at 20,000.
  const gap = clocks === "wall" ? HOUR : at(5000) - 20_000;
  const told = clocks === "wall" ? 20_000 : at(5000);

  test(`C9: an hour's sleep (${clocks} clock), and the peer is gone: one probe, a full pingTimeout, the verdict`, () => {
    const simulation = settled(new Simulation({}, muteFrom(5000, answersAfter(30))));
    simulation.sleep(HOUR, clocks).advance(at(100_000) - simulation.clock.now());
    const probes = simulation.timeline.filter((line) => line.includes(" ping "));
    assert.deepEqual(simulation.timeline.slice(0, 3), [
      `${told} suspended ${gap}`,
      `${told} poll`,
      `${told} ping k2`,
    ]);
    assert.equal(simulation.timeline.at(-1), `${told + 20_000} dead, silent for 20000`);
    assert.ok(probes.length <= 2, "the probe, and the grid's own ping within pingTimeout");
  });

  test(`C9: an hour's sleep (${clocks} clock) with a ping in flight and a live peer: no verdict`, () => {
    const simulation = new Simulation({}, answersAfter(300)).open().advance(100).sleep(HOUR, clocks);
    simulation.advance(60_500);
    assert.equal(simulation.isOver, false);
    assert.equal(simulation.heartbeat.longestGap, clocks === "wall" ? HOUR : HOUR - 900);
    // One probe besides the grid's pings. If only the wall clock shows the gap, the probe is the grid's own ping.
    const { sent, answered, max } = simulation.heartbeat.statistics.snapshot();
    const count = clocks === "wall" ? 4 : 5;
    assert.deepEqual({ sent, answered, max }, { sent: count, answered: count, max: 300 });
  });
}

test("C9: a wall clock that is set back, or slewed by half a second, is no sleep", () => {
  const simulation = settled(new Simulation({}, answersAfter(30)));
  simulation.sleep(-HOUR, "wall").advance(20_000).sleep(500, "wall").advance(20_000);
  assert.deepEqual(simulation.timeline, [
    "20000 ping k2",
    "20030 answered k2 after 30",
    "40000 ping k3",
    "40030 answered k3 after 30",
  ]);
});
