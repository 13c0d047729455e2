import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../../build/server/inspect/history.js";
import { LocalProcess } from "../../../build/server/inspect/local-process.js";
import type { ServerCore } from "../../../build/server/server-core.js";
import { FIRST_QUERY } from "../../../inspect-page/dist/first-query.js";
import { Harness } from "../../connection/harness.js";

test("P2: a watch lasts 30 s, and is dropped if its viewer does not fetch the last frames", async () => {
  const harness = new Harness();
  const { connection, clock, runtime } = harness;
  // The parts of a server that actions use.
  const core = {
    connections: new Set([connection]),
    runtime,
    settings: { connection: { faultLogger: null } },
  } as unknown as ServerCore;
  const settings = {
    authorize: () => true,
    path: "/",
    mayAct: true,
    showsPayloads: false,
    topics: null,
  };
  const process = new LocalProcess({
    ...{ id: "p", name: "here", since: 0, core, settings, history: new History() },
  });
  const viewer = { who: null, address: null, mayAct: true };
  const watch = (key: string) => process.act("watch", connection.id, viewer, key);
  const leftOf = async (key: string): Promise<number | null> =>
    (await process.look({ ...FIRST_QUERY, view: "endings" }, key)).watch?.left ?? null;

  await watch("ada");
  await watch("vanished");
  assert.equal(await leftOf("ada"), 0, "a connection has one watcher");
  assert.equal(await leftOf("ada"), null);
  clock.advance(30_000);
  await watch("bob");
  assert.equal(await leftOf("bob"), 30_000);
  clock.advance(10_001);
  await watch("bob");
  assert.equal(await leftOf("vanished"), null);
  clock.advance(30_000);
  assert.equal(await leftOf("bob"), 0, "it shows its last frames");
  connection.terminate();
  await harness.clock.settle();
});
