import assert from "node:assert/strict";
import { test } from "node:test";
import { answersAfter, answersInTurn, mute, muteFrom } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

test("C5: a mute peer is declared dead exactly pingTimeout after the ping that it did not answer was queued", () => {
  const simulation = new Simulation({ pingInterval: 20_000, pingTimeout: 15_000 }, mute).open();
  simulation.advance(14_999);
  assert.deepEqual(simulation.timeline, ["0 ping k1", "1000 poll", "1000 overdue k1, 1000 of 1000"]);
  simulation.advance(1).advance(100_000);
  assert.deepEqual(simulation.timeline.slice(3), ["15000 poll", "15000 dead, silent for 15000"]);
});

test("C5: a peer that falls silent just after a pong is declared dead at interval + timeout", () => {
  const simulation = new Simulation({}, muteFrom(20_000, answersAfter(1))).open().advance(100_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "1 answered k1 after 1",
    "20000 ping k2",
    "21000 poll",
    "21000 overdue k2, 1000 of 1000",
    "40000 poll",
    "40000 dead, silent for 20000",
  ]);
});

test("C5: with pingTimeout > pingInterval several pings are in flight, and the oldest decides", () => {
  const simulation = new Simulation(
    { pingInterval: 1000, pingTimeout: 3500 },
    muteFrom(1000, answersAfter(10)),
  );
  simulation.open().advance(100_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "10 answered k1 after 10",
    "1000 ping k2",
    "2000 poll",
    "2000 overdue k2, 1000 of 1000",
    "2000 ping k3",
    "3000 poll",
    "3000 overdue k3, 1000 of 1000",
    "3000 ping k4",
    "4000 poll",
    "4000 overdue k4, 1000 of 1000",
    "4000 ping k5",
    "4500 poll",
    "4500 dead, silent for 3500",
  ]);
});

test("C5: a pong that is read in the millisecond of the deadline is in time", () => {
  const simulation = new Simulation(
    { pingInterval: 20_000, pingTimeout: 900 },
    answersInTurn([900], mute),
  ).open();
  simulation.advance(10_000);
  assert.deepEqual(simulation.timeline, ["0 ping k1", "900 poll", "900 answered k1 after 900"]);
});

test("C5: `pingTimeout: null` measures and reports overdue pings, and never judges", () => {
  const peer = answersInTurn([null, 1500], mute);
  const simulation = new Simulation({ pingInterval: 3_600_000, pingTimeout: null }, peer).open();
  simulation.advance(10_000).ping("mine").advance(3_500_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "1000 poll",
    "1000 overdue k1, 1000 of 1000",
    "10000 ping mine",
    "11000 poll",
    "11000 overdue mine, 1000 of 1000",
    "11500 answered k1 after 11500",
    "11500 answered mine after 1500",
  ]);
  simulation.advance(48 * 3_600_000);
  assert.equal(simulation.isOver, false);
});

test("C5: the application's own pings are never judged", () => {
  const simulation = new Simulation({ pingInterval: 100_000, pingTimeout: 5000 }, answersInTurn([10], mute));
  simulation.open().advance(100).ping("mine").advance(90_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "10 answered k1 after 10",
    "100 ping mine",
    "1100 poll",
    "1100 overdue mine, 1000 of 1000",
  ]);
});

test("C7: pings that are queued and never sent are judged from their queueing", () => {
  const simulation = new Simulation({ pingInterval: 20_000 }, answersAfter(10)).open().advance(1000).block();
  simulation.advance(100_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "10 answered k1 after 10",
    "20000 ping k2",
    "21000 poll",
    "21000 overdue k2, 1000 of 1000",
    "40000 poll",
    "40000 dead, silent for 20000",
  ]);
  const { sent, answered, lost } = simulation.heartbeat.statistics.snapshot();
  assert.deepEqual({ sent, answered, lost }, { sent: 1, answered: 1, lost: 1 });
});

test("C7: a buffer that drains just before the deadline gives a mute peer no more time", () => {
  const simulation = new Simulation({ pingInterval: 20_000 }, mute).block().open().advance(19_990).drain();
  simulation.advance(100_000);
  assert.deepEqual(simulation.timeline.slice(3), ["20000 poll", "20000 dead, silent for 20000"]);
});

test('C11: with liveness "traffic" received bytes delay the verdict, until pingTimeout after the last of them', () => {
  const simulation = new Simulation({ pingInterval: 20_000, liveness: "traffic" }, mute).open();
  for (let chunk = 0; chunk < 10; chunk++) simulation.advance(5000).receiveData();
  simulation.advance(19_999);
  assert.equal(simulation.isOver, false);
  simulation.advance(1);
  assert.equal(simulation.timeline.at(-1), "70000 dead, silent for 70000");
});

test('C11: with liveness "traffic" a peer that never sends anything is dead as soon as under "pong"', () => {
  const simulation = new Simulation({ pingInterval: 20_000, liveness: "traffic" }, mute)
    .open()
    .advance(100_000);
  assert.equal(simulation.timeline.at(-1), "20000 dead, silent for 20000");
});

test('C11: with liveness "traffic" what we send never counts', () => {
  const simulation = new Simulation(
    { pingInterval: 3000, pingTimeout: 20_000, liveness: "traffic" },
    mute,
  ).open();
  simulation.advance(2000).receiveData();
  for (let ping = 0; ping < 100; ping++) simulation.ping(`mine ${ping}`).advance(200);
  assert.equal(simulation.timeline.at(-1), "22000 dead, silent for 22000");
});

test('C11: with the default liveness "pong" a peer that streams data and answers no ping is dead on time', () => {
  const simulation = new Simulation({ pingInterval: 20_000, pingTimeout: 15_000 }, mute).open();
  for (let chunk = 0; chunk < 100; chunk++) simulation.receiveData().advance(200);
  assert.equal(simulation.timeline.at(-1), "15000 dead, silent for 15000");
});

test("C5: after the verdict the heartbeat requests no further action, even if the end is not reported to it", () => {
  const simulation = new Simulation({ pingInterval: 700, pingTimeout: 500 }, mute).open().advance(499);
  const { heartbeat } = simulation;
  const at = { wallNow: simulation.clock.wallNow() + 1, lastReceivedAt: 0 };
  assert.deepEqual(heartbeat.observe(500, { type: "wake", ...at }), [{ type: "poll" }]);
  assert.deepEqual(heartbeat.observe(500, { type: "polled", ...at }), [{ type: "dead", silence: 500 }]);
  assert.equal(heartbeat.nextWake, null);
});
