import assert from "node:assert/strict";
import { test } from "node:test";
import { answersAfter, mute, muteFrom } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

test("C10: while we pause reading there is no verdict and no overdue ping; pings continue", () => {
  const simulation = new Simulation({}, answersAfter(30)).open().advance(1000).pause().advance(100_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "30 answered k1 after 30",
    "20000 ping k2",
    "40000 ping k3",
    "60000 ping k4",
    "80000 ping k5",
    "100000 ping k6",
  ]);
});

test("C10: after a pause longer than pingTimeout the pongs that piled up are read, and no verdict falls", () => {
  const simulation = new Simulation({}, answersAfter(30)).open().advance(1000).pause().advance(58_000);
  simulation.timeline.length = 0;
  simulation.resume().advance(5000);
  assert.deepEqual(simulation.timeline, [
    "59000 answered k2 after 39000",
    "59000 answered k3 after 19000",
    "60000 ping k4",
    "60030 answered k4 after 30",
  ]);
  // The pause is not part of the network's latency.
  assert.equal(simulation.heartbeat.statistics.snapshot().max, 30);
});

test("C10: pongs after unread data have a full pingTimeout of reading time from the resumption on", () => {
  const simulation = new Simulation({ pingInterval: 60_000 }, mute)
    .open()
    .advance(10)
    .pause()
    .advance(50_000);
  simulation.resume().advance(19_999).receivePong("k1").advance(0);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "51010 poll",
    "51010 overdue k1, 51010 of 51010",
    "60000 ping k2",
    "61000 poll",
    "61000 overdue k2, 1000 of 1000",
    "70009 answered k1 after 70009",
  ]);
});

test("C10: a peer that died during the pause is declared dead exactly pingTimeout after the resumption", () => {
  const simulation = new Simulation({}, muteFrom(1000, answersAfter(30))).open().advance(1000).pause();
  simulation.advance(100_000);
  simulation.timeline.length = 0;
  simulation.resume().advance(100_000);
  assert.deepEqual(simulation.timeline, [
    "102000 poll",
    "102000 overdue k2, 82000 of 82000",
    "102000 overdue k3, 62000 of 62000",
    "102000 overdue k4, 42000 of 42000",
    "102000 overdue k5, 22000 of 22000",
    "102000 overdue k6, 2000 of 2000",
    "120000 ping k7",
    "121000 poll",
    "121000 dead, silent for 101000",
  ]);
});

test("C10: a peer that dies after a pause is declared dead as if there had been none", () => {
  const simulation = new Simulation({}, muteFrom(60_000, answersAfter(30))).open().advance(1000).pause();
  simulation.advance(44_000).resume().advance(100_000);
  assert.equal(simulation.timeline.at(-1), "80000 dead, silent for 20000");
});

test("C10: a pause that begins in the poll before the verdict suspends it", () => {
  const simulation = new Simulation({ pingInterval: 60_000 }, mute).open().advance(19_500);
  // After the timers at 20,000, the data that is read fills the inbox, and the pong comes after that data.
  simulation.clock.setTimer(500, () => simulation.clock.atPoll(() => void simulation.pause()));
  simulation.advance(30_000).resume().receivePong("k1").advance(10);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "1000 poll",
    "1000 overdue k1, 1000 of 1000",
    "20000 poll",
    "49500 answered k1 after 49500",
  ]);
});

test("C10: pausing twice or resuming unpaused changes nothing", () => {
  const simulation = new Simulation({}, mute).open().advance(5000).resume().advance(14_000);
  assert.equal(simulation.heartbeat.nextWake, 20_000);
  simulation.pause().pause().advance(500).resume();
  assert.equal(simulation.heartbeat.nextWake, 20_000, "the grid's");
  simulation.advance(19_999);
  assert.equal(simulation.isOver, false);
  simulation.advance(1);
  assert.equal(simulation.timeline.at(-1), "39500 dead, silent for 39500");
});

test("C8, C10: a sleep while reading is paused: a probe is sent, and judged from the resumption on", () => {
  const simulation = new Simulation({}, mute)
    .open()
    .advance(500)
    .pause()
    .sleep(3_600_000, "both")
    .advance(10_000);
  simulation.resume().advance(100_000);
  assert.deepEqual(simulation.timeline.slice(0, 4), [
    "0 ping k1",
    "3600500 suspended 3580500",
    "3600500 poll",
    "3600500 ping k2",
  ]);
  assert.equal(simulation.timeline.at(-1), "3630500 dead, silent for 30000");
});

test("C10: a peer that makes us pause and resume for ever, and sends no Pong, is declared dead after pingTimeout of reading", () => {
  for (const [reading, paused] of [
    [100, 100],
    [100, 5_000],
    [5_000, 100],
    [10, 60_000],
  ] as const) {
    const simulation = new Simulation({}, mute).open();
    let read = 0;
    while (!simulation.isOver && read < 1_000_000) {
      simulation.advance(reading).pause().advance(paused).resume();
      read += reading;
    }
    assert.equal(simulation.isOver, true, `${reading} ms of reading, ${paused} of pause`);
    assert(read >= 20_000 && read <= 20_000 + 4 * reading + 1_000, `${read} ms of reading were enough`);
    assert.match(simulation.timeline.at(-1) ?? "", /dead/);
  }
});
