import assert from "node:assert/strict";
import { test } from "node:test";
import { play } from "./play.js";
import { most } from "./render.js";

test(
  "G4: a server that is replaced under load loses no message and no client",
  { timeout: 90_000 },
  async () => {
    const clients = 60;
    const result = await play(
      { port: "shared", code: 1001, spread: 300 },
      { clients, processes: 2, interval: 10 },
    );
    const { toServer, toClients, returns, absences, attempts } = result;
    assert.ok(toServer.sent > 0 && toClients.sent > 0, JSON.stringify(result));
    assert.deepEqual([toServer.received, toClients.received], [toServer.sent, toClients.sent]);
    assert.deepEqual([returns.length, absences.length], [clients, clients]);
    // The successor listens before its predecessor closes, so no client is refused.
    assert.equal(attempts.length, clients);
  },
);

test("F2: the peak is that of any window, wherever it begins", () => {
  assert.equal(most([], 100), 0);
  assert.equal(most([0, 99, 100, 150, 199, 200, 1_000], 100), 3);
  assert.equal(most([5, 5, 5], 100), 3);
});
