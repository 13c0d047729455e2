import assert from "node:assert/strict";
import { test } from "node:test";
import { answersAfter, answersInTurn, mute, muteFrom, type Peer } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

const HOUR = 3_600_000;

test("C3: a pong answers its own ping and every older one, but only its own makes a sample (section 5.5.3)", () => {
  const simulation = new Simulation({ pingInterval: 1000 }, answersInTurn([null, null, 250], mute)).open();
  simulation.advance(1000).ping("mine").advance(1000);
  // k1 at 0, k2 and "mine" at 1,000, k3 at 2,000: only "mine", the third, is answered, at 1,250.
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "1000 poll",
    "1000 overdue k1, 1000 of 1000",
    "1000 ping k2",
    "1000 ping mine",
    "1250 answered k1 after 1250",
    "1250 answered k2 after 250",
    "1250 answered mine after 250",
    "2000 ping k3",
  ]);
  const { last, min, max, sent, answered, lost } = simulation.heartbeat.statistics.snapshot();
  assert.deepEqual({ last, min, max }, { last: 250, min: 250, max: 250 });
  assert.deepEqual({ sent, answered, lost }, { sent: 4, answered: 3, lost: 0 });
  assert.deepEqual(
    [...simulation.heartbeat.pings].map(({ payload }) => payload),
    ["k3"],
  );
});

test("C3: a pong leaves the newer pings in flight, and their own pongs find them", () => {
  const simulation = new Simulation({ pingInterval: HOUR }, answersInTurn([500, 400, 300], mute)).open();
  simulation.advance(10).ping("a").advance(10).ping("b").advance(1000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "10 ping a",
    "20 ping b",
    "320 answered k1 after 320",
    "320 answered a after 310",
    "320 answered b after 300",
  ]);
  // The pongs of k1 and a came at 500 and 410, late.
  assert.equal(simulation.heartbeat.unknownPongs, 2);
  assert.equal(simulation.heartbeat.statistics.snapshot().mean, 300);
});

test("C3: the round trip runs from the bytes handed to the socket, the deadline from the queueing", () => {
  const simulation = new Simulation({ pingInterval: HOUR, pingTimeout: 900 }, answersAfter(100)).open();
  simulation.advance(500).block().ping("mine").advance(300).drain().advance(200);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "100 answered k1 after 100",
    "500 ping mine",
    "900 answered mine after 100",
  ]);
});

test("C3: late pongs, and unknown ones of a peer that owes none, are counted, and change nothing", () => {
  const simulation = new Simulation({ pingInterval: 20_000 }, answersAfter(10)).open().advance(500);
  const wake = simulation.heartbeat.nextWake;
  simulation.receivePong("stranger").receivePong("").advance(100);
  simulation.ping("mine").abandon("mine").receivePong("mine").advance(100);
  assert.equal(simulation.heartbeat.unknownPongs, 3);
  assert.equal(simulation.heartbeat.nextWake, wake);
  assert.deepEqual(simulation.timeline, ["0 ping k1", "10 answered k1 after 10", "600 ping mine"]);
});

test("C21: a peer that answers each ping with an empty or wrong payload is alive, and gives no sample", () => {
  for (const payload of ["", "mangled"]) {
    const mangling: Peer = (_ping, pongAfter) => pongAfter(100, payload);
    const simulation = new Simulation({}, muteFrom(1_000_000, mangling)).open().advance(1_000_000 - 1);
    const { answered, last } = simulation.heartbeat.statistics.snapshot();
    assert.deepEqual([simulation.isOver, answered, last], [false, 0, null]);
    assert.equal(simulation.heartbeat.unknownPongs, 50);
    assert(simulation.heartbeat.pings.size <= 2, `${simulation.heartbeat.pings.size} pings are remembered`);
    simulation.advance(100_000);
    assert.equal(
      simulation.timeline.at(-1),
      "1020000 dead, silent for 20000",
      "and it is judged once it is mute",
    );
  }
});

test("C21: an unsolicited pong delays the verdict of pings that were sent, and only of those", () => {
  const simulation = new Simulation({}, mute).open().advance(19_000).receivePong("stranger").advance(100_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "1000 poll",
    "1000 overdue k1, 1000 of 1000",
    "19000 life",
    "20000 ping k2",
    "21000 poll",
    "21000 overdue k2, 1000 of 1000",
    "40000 poll",
    "40000 dead, silent for 20000",
  ]);
});

test("C21: unsolicited pongs do not suppress samples of a peer that answers correctly", () => {
  const simulation = new Simulation({}, answersAfter(500)).open().advance(100);
  simulation.receivePong("unasked").advance(50_000);
  assert.deepEqual(
    [simulation.heartbeat.statistics.answered, simulation.heartbeat.statistics.last],
    [3, 500],
  );
});

test("C2, C21: a pong that arrives before its ping was sent is no sign of life", () => {
  const simulation = new Simulation({}, mute).block().open().advance(1_000);
  simulation.receivePong("guess").advance(100_000);
  assert.equal(simulation.timeline.at(-1), "20000 dead, silent for 20000");
});

test("C3: a repeated pong answers once", () => {
  const simulation = new Simulation({ pingInterval: 20_000 }, (_ping, pongAfter) => {
    pongAfter(10);
    pongAfter(20);
  });
  simulation.open().advance(1000);
  assert.deepEqual(simulation.timeline, ["0 ping k1", "10 answered k1 after 10"]);
  assert.equal(simulation.heartbeat.unknownPongs, 1);
  assert.equal(simulation.heartbeat.statistics.answered, 1);
});

test("C3: a pong whose ping has not been sent was guessed, answers nothing and resets nothing", () => {
  const simulation = new Simulation({ pingInterval: HOUR }, answersAfter(100)).open().advance(1000);
  simulation.block().ping("guessable").receivePong("guessable").advance(500).drain().advance(100);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "100 answered k1 after 100",
    "1000 ping guessable",
    "1600 answered guessable after 100",
  ]);
  const { sent, answered } = simulation.heartbeat.statistics.snapshot();
  assert.deepEqual(
    { sent, answered, unknown: simulation.heartbeat.unknownPongs },
    { sent: 2, answered: 2, unknown: 1 },
  );
});

test("C4: an abandoned ping leaves the table, counts as lost, and its older neighbours are answered as before", () => {
  const simulation = new Simulation({ pingInterval: HOUR }, answersAfter(100)).open();
  simulation.ping("a").ping("b").advance(50).abandon("a").advance(100);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "0 ping a",
    "0 ping b",
    "100 answered k1 after 100",
    "100 answered b after 100",
  ]);
  const { sent, answered, lost } = simulation.heartbeat.statistics.snapshot();
  assert.deepEqual({ sent, answered, lost }, { sent: 3, answered: 2, lost: 1 });
  assert.equal(simulation.heartbeat.pings.size, 0);
});

test("C4: pings in flight at the end are lost, and the table is empty", () => {
  const simulation = new Simulation({ pingInterval: 1000 }, mute)
    .open()
    .ping("a")
    .ping("b")
    .advance(2500)
    .end();
  assert.equal(simulation.heartbeat.pings.size, 0);
  const { sent, answered, lost } = simulation.heartbeat.statistics.snapshot();
  assert.deepEqual({ sent, answered, lost }, { sent: 5, answered: 0, lost: 5 });
});
