import assert from "node:assert/strict";
import { test } from "node:test";
import { answersAfter, mute } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

test("I3: a probe is a ping ahead of its time, and the grid stays as it was", () => {
  const simulation = new Simulation({ pingInterval: 20_000 }, answersAfter(30)).open().advance(5000);
  simulation.observe({ type: "probe" });
  simulation.advance(15_000);
  assert.deepEqual(simulation.timeline, [
    "0 ping k1",
    "30 answered k1 after 30",
    "5000 ping k2",
    "5030 answered k2 after 30",
    "20000 ping k3",
  ]);
});

test("I3: a peer that does not answer a probe is dead after pingTimeout", () => {
  const simulation = new Simulation({ pingInterval: 60_000, pingTimeout: 2000 }, answersAfter(30)).open();
  simulation.advance(5000);
  simulation.peer = mute;
  simulation.observe({ type: "probe" });
  simulation.advance(2000);
  assert.equal(simulation.timeline.at(-1), "7000 dead, silent for 2000");
});

test("I3: simultaneous probes are one ping, and without keepalive there is none", () => {
  const simulation = new Simulation({ pingInterval: 20_000 }, mute).open().advance(5000);
  for (let count = 0; count < 5; count++) simulation.observe({ type: "probe" });
  simulation.advance(999);
  simulation.observe({ type: "probe" });
  simulation.advance(1);
  simulation.observe({ type: "probe" });
  const pings = simulation.timeline.filter((line) => line.includes("ping"));
  assert.deepEqual(pings, ["0 ping k1", "5000 ping k2", "6000 ping k3"]);

  const off = new Simulation({ pingInterval: null, pingTimeout: null }, mute).open();
  off.observe({ type: "probe" });
  assert.deepEqual(off.timeline, []);
});
