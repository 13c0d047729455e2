import assert from "node:assert/strict";
import { test } from "node:test";
import { play } from "./play.js";
import { race } from "./races.js";
import { isKept, renderCuts } from "./render.js";

test(
  "L1: 200 cuts at random byte offsets lose, duplicate and reorder nothing",
  { timeout: 120_000 },
  async () => {
    const report = await play({ count: 200, seed: 7, clients: 8 });
    assert.ok(isKept(report), renderCuts(report));
    assert.ok(report.resumed > 50 && report.toServer.received > 0 && report.toClients.received > 0);
    assert.ok(report.broadcasts.received > 0);
  },
);

test(
  "L4: of two sockets that resume one session, one wins, and no message is duplicated",
  { timeout: 60_000 },
  async () => {
    const { races, decided, complete, failures } = await race(25, 1);
    assert.deepEqual({ decided, complete, failures }, { decided: races, complete: races, failures: [] });
  },
);
