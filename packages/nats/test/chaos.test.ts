import assert from "node:assert/strict";
import { test } from "node:test";
import { runChaos, type ChaosOptions } from "./chaos/chaos.js";
import { missing } from "./nats-server.js";

const SMALL: ChaosOptions = {
  seconds: 20,
  clients: 100,
  topics: 50,
  rate: 50,
  processKills: 5,
  subscriptionKills: 1,
  natsKills: 0,
};

test(
  "M2: while processes and connections are cut, every subscriber gets each message once",
  { skip: missing },
  async (t) => {
    const result = await runChaos(SMALL);
    t.diagnostic(JSON.stringify(result));
    const { lost, repeated, conflicts, gaps, stuck } = result;
    assert.deepEqual(
      { lost, repeated, conflicts, gaps, stuck },
      { lost: 0, repeated: 0, conflicts: 0, gaps: 0, stuck: 0 },
    );
  },
);

test("M3: while NATS is killed as well, what is missing is a gap", { skip: missing }, async (t) => {
  const result = await runChaos({ ...SMALL, seconds: 15, natsKills: 6 });
  t.diagnostic(JSON.stringify(result));
  const { lost, repeated, conflicts, stuck } = result;
  assert.deepEqual({ lost, repeated, conflicts, stuck }, { lost: 0, repeated: 0, conflicts: 0, stuck: 0 });
  assert.ok(result.kills.nats > 0 && result.gaps > 0);
});
