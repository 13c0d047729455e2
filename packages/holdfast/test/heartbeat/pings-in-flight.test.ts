import assert from "node:assert/strict";
import { test } from "node:test";
import { Heartbeat } from "../../build/heartbeat/heartbeat.js";
import { mute } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

test("C5: with 400 pings in flight the oldest one still decides, on time", () => {
  const simulation = new Simulation({ pingInterval: 50, pingTimeout: 20_000 }, mute).open().advance(100_000);
  assert.deepEqual(simulation.timeline.slice(-2), ["20000 poll", "20000 dead, silent for 20000"]);
});

test("C5: hundreds of the application's own pings in flight do not delay a verdict", () => {
  const simulation = new Simulation({ pingInterval: 10_000, pingTimeout: 25_000 }, mute).open();
  for (let ping = 0; ping < 300; ping++) simulation.ping(`mine ${ping}`);
  simulation.advance(100_000);
  assert.equal(simulation.timeline.at(-1), "25000 dead, silent for 25000");
});

test("C4: with `pingTimeout: null` and a mute peer the table stays bounded: the oldest keepalive pings are lost", () => {
  const simulation = new Simulation({ pingInterval: 1000, pingTimeout: null }, mute).open();
  simulation.ping("mine").advance(1_000_000);
  assert.equal(simulation.heartbeat.pings.size, 128 + 1, "128 of ours, and the application's own");
  assert.equal(simulation.heartbeat.pings.has("mine"), true);
  assert.deepEqual(simulation.heartbeat.statistics.snapshot().lost, 1001 - 128);
});

test('C11: with liveness "traffic" and a stream without pongs the table of pings stays bounded', () => {
  const simulation = new Simulation(
    { pingInterval: 1000, pingTimeout: 20_000, liveness: "traffic" },
    mute,
  ).open();
  for (let second = 0; second < 2000; second++) simulation.advance(1000).receiveData();
  assert.equal(simulation.isOver, false);
  assert.equal(simulation.heartbeat.pings.size, 128);
  simulation.advance(19_999);
  assert.equal(simulation.isOver, false);
  simulation.advance(1);
  assert.equal(simulation.isOver, true);
});

test("C10: reading that is paused for a day leaves the table bounded, and the verdict is not lost with the pings", () => {
  const simulation = new Simulation({ pingInterval: 20_000 }, mute).open().advance(10).pause();
  simulation.advance(24 * 3_600_000);
  assert.equal(simulation.heartbeat.pings.size, 128);
  simulation.resume().advance(19_999);
  assert.equal(simulation.isOver, false);
  simulation.advance(1);
  assert.equal(simulation.isOver, true);
});

test("C4: a million abandoned pings leave the table empty, and no pending wake", () => {
  const heartbeat = new Heartbeat({ pingInterval: null, pingTimeout: null, liveness: "pong" });
  heartbeat.observe(0, { type: "opened", wallNow: 0 });
  for (let ping = 0; ping < 1_000_000; ping++) {
    const payload = `mine ${ping % 10}`;
    heartbeat.observe(ping / 1000, { type: "ping-queued", payload, isKeepalive: false, timeout: null });
    if (ping % 2 === 0) heartbeat.observe(ping / 1000, { type: "ping-sent", payload });
    assert.equal(heartbeat.pings.size, 1);
    heartbeat.observe(ping / 1000, { type: "ping-abandoned", payload });
    assert.equal(heartbeat.pings.size, 0);
    assert.equal(heartbeat.nextWake, null);
  }
  const { sent, answered, lost } = heartbeat.statistics.snapshot();
  assert.deepEqual({ sent, answered, lost }, { sent: 500_000, answered: 0, lost: 500_000 });
});
