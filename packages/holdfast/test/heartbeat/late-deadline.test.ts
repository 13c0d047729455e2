import assert from "node:assert/strict";
import { test } from "node:test";
import { mute } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

const TIMEOUT = 600;

/** One ping of the application at time 0 to a mute peer, whose deadline our blocked event loop sees late. */
function pingSeenLate(lateBy: number): Simulation {
  const simulation = new Simulation({ pingInterval: null, pingTimeout: null }, mute).open().advance(0);
  return simulation
    .ping("mine", TIMEOUT)
    .advance(0)
    .stall(TIMEOUT + lateBy)
    .advance(10_000);
}

test("C3, C8: a deadline seen late by half of the timeout starts again; one seen a millisecond sooner expires", () => {
  assert.deepEqual(pingSeenLate(TIMEOUT / 2).timeline, [
    "0 ping mine",
    "900 poll",
    "1000 poll",
    "1000 overdue mine, 1000 of 1000",
    "1500 poll",
    "1500 expired mine",
  ]);
  assert.deepEqual(pingSeenLate(TIMEOUT / 2 - 1).timeline, ["0 ping mine", "899 poll", "899 expired mine"]);
});
