import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answersAfter, answersInTurn, mute, muteFrom } from "./peers.js";
import { anyLife, live } from "./random-life.js";
import { Simulation } from "./simulated-peer.js";

/** No keepalive: only the application's own pings. */
function quiet(peer: ConstructorParameters<typeof Simulation>[1]): Simulation {
  return new Simulation({ pingInterval: null, pingTimeout: null }, peer).open().advance(0);
}

test("C3: a ping with a timeout expires exactly then, is lost, and is no verdict", () => {
  const simulation = quiet(mute).ping("mine", 500).advance(100_000);
  assert.deepEqual(simulation.timeline, ["0 ping mine", "500 poll", "500 expired mine"]);
  assert.equal(simulation.heartbeat.pings.size, 0);
  assert.equal(simulation.heartbeat.nextWake, null);
  const { sent, answered, lost } = simulation.heartbeat.statistics.snapshot();
  assert.deepEqual({ sent, answered, lost }, { sent: 1, answered: 0, lost: 1 });
});

test("C3: a pong that is read in the millisecond of the timeout is in time", () => {
  const simulation = quiet(answersAfter(500)).ping("mine", 500).advance(1000);
  assert.deepEqual(simulation.timeline, ["0 ping mine", "500 poll", "500 answered mine after 500"]);
});

test("C3: each ping has its own timeout, and the pong of a later one answers it in time", () => {
  const simulation = quiet(answersInTurn([null, null, 50], mute));
  simulation.ping("short", 100).ping("long", 400).advance(200).ping("endless").advance(1000);
  assert.deepEqual(simulation.timeline, [
    "0 ping short",
    "0 ping long",
    "100 poll",
    "100 expired short",
    "200 ping endless",
    "250 answered long after 250",
    "250 answered endless after 50",
  ]);
});

test("C3, C7: a ping that a full socket delays expires too, and is not sent any more", () => {
  const simulation = quiet(answersAfter(1)).block().ping("mine", 500).advance(500).drain().advance(10);
  assert.deepEqual(simulation.timeline, ["0 ping mine", "500 poll", "500 expired mine"]);
  assert.equal(simulation.heartbeat.statistics.snapshot().sent, 0);
});

test('C3, C11: liveness "traffic" does not delay the expiry: only the pong counts', () => {
  const simulation = new Simulation({ liveness: "traffic" }, muteFrom(1, answersAfter(1))).open().advance(1);
  simulation.ping("mine", 500);
  for (let chunk = 0; chunk < 10; chunk++) simulation.receiveData().advance(100);
  assert.ok(simulation.timeline.includes("501 expired mine"), simulation.timeline.join("\n"));
});

test("C3, C8: a stall with the pong in the kernel costs nothing, however short the timeout", () => {
  for (const stall of [500, 60_000]) {
    const simulation = quiet(answersAfter(30)).ping("mine", 100).advance(0).stall(stall).advance(1000);
    assert.equal(simulation.timeline.at(-1), `${stall} answered mine after ${stall}`);
  }
});

test("C3, C8: a ping that our blocked turn sent late has the whole time from then on", () => {
  // Late by more than half of the timeout, but too little to count as a gap; and late by a gap.
  for (const stall of [300, 60_000]) {
    const healthy = quiet(answersAfter(80)).ping("mine", 100).stall(stall).advance(1000);
    assert.equal(healthy.timeline.at(-1), `${stall + 80} answered mine after 80`);
    const dead = quiet(mute).ping("mine", 100).stall(stall).advance(1000);
    assert.equal(dead.timeline.at(-1), `${stall + 100} expired mine`);
  }
});

test("C3, C8: a process that stalls all the time still detects it, after three graces", () => {
  const simulation = quiet(mute).ping("mine", 100);
  for (let round = 0; round < 100; round++) simulation.stall(160).advance(1);
  assert.ok(simulation.timeline.at(-1)?.endsWith(" expired mine"), simulation.timeline.join("\n"));
  assert.ok(parseFloat(simulation.timeline.at(-1) ?? "") < 1000, simulation.timeline.at(-1));
});

test("C3, C10: while we do not read nothing expires; from then on it has the whole time", () => {
  const simulation = quiet(mute).ping("mine", 500).advance(100).pause().advance(10_000).resume();
  simulation.advance(499);
  assert.equal(simulation.heartbeat.pings.size, 1);
  simulation.advance(1);
  assert.equal(simulation.timeline.at(-1), "10600 expired mine");
});

test("C3, C8, C10: what a peer answers in time never expires, whatever our process does", () => {
  fc.assert(
    fc.property(anyLife("disturbed"), fc.boolean(), ({ options, steps, latencies }, hasKeepalive) => {
      const { pingInterval, pingTimeout } = options;
      let count = 0;
      const simulation = new Simulation(
        hasKeepalive ? options : { ...options, pingInterval: null, pingTimeout: null },
        (_ping, pongAfter) => pongAfter(latencies[count++ % latencies.length] ?? 0),
      ).open();
      simulation.advance(0);
      live(simulation, steps, pingTimeout);
      if (simulation.isPaused) simulation.resume();
      simulation.advance(3 * (pingInterval + pingTimeout));
      assert.deepEqual(
        simulation.timeline.filter((line) => line.includes(" expired ") || line.includes(" dead")),
        [],
      );
    }),
    { seed: 6455, numRuns: 300 },
  );
});
