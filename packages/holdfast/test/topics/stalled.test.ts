import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryEngine } from "../../build/topics/memory/memory-engine.js";
import { openTopics } from "../../build/topics/topics.js";
import { Harness, sharedRuntime } from "../connection/harness.js";
import { usedMemory } from "../connection/memory.js";

test("M6: the memory of 1,000 stalled receivers with catch-up does not grow with what is published", async (t) => {
  const shared = sharedRuntime();
  const topics = openTopics(shared.runtime, {
    engine: new MemoryEngine(shared.runtime),
    history: { messages: 500 },
  });
  const receivers = Array.from(
    { length: 1_000 },
    () => new Harness({ role: "server", shared, capacity: 0, writeLimit: 4_096 }),
  );
  for (const { connection } of receivers) {
    await topics.subscribe(connection, "t", { slow: "catch-up", limit: 4_096 });
  }
  const publishSome = async (): Promise<void> => {
    for (let index = 0; index < 1_000; index++) {
      const publishing = topics.publish("t", new Uint8Array(1_024));
      await Promise.resolve();
      shared.clock.turn();
      await publishing;
    }
  };
  await publishSome();
  const before = await usedMemory();
  await publishSome();
  await publishSome();
  const growth = (await usedMemory()) - before;
  t.diagnostic(`${growth} bytes more after 2,000 messages of 1 KiB`);
  assert.ok(growth < 1_000_000, `${growth} bytes more`);
  const unsent = receivers.reduce((bytes, { connection }) => bytes + connection.bufferedAmount, 0);
  assert.ok(unsent < 1_000 * 6_200, `${unsent} bytes unsent`);
});
