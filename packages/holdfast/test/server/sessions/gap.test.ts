import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connectPersistent, fileStore, serve, type Connection } from "../../../build/index.js";

test("L7, L8: after a restart, both ends report for how long the session had no socket", async () => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-gap-"));
  const gaps: (number | undefined)[] = [];
  const handler = (connection: Connection): Promise<unknown> => {
    connection.on("resumed", ({ gap }) => gaps.push(gap));
    return connection.forEach((message) => connection.send(message));
  };
  const options = {
    host: "127.0.0.1",
    sessions: { durability: "shutdown", store: fileStore({ directory: join(directory, "sessions") }) },
  } as const;
  try {
    const first = await serve(handler, options);
    const client = connectPersistent(first.url, { session: true, firstDelay: 1, minDelay: 0, maxDelay: 50 });
    client.on("resumed", ({ gap }) => gaps.push(gap));
    await client.send("a", { until: "delivered" });
    await first.close();
    await new Promise((resolve) => setTimeout(resolve, 300)); // The promise is about real time.
    await using _second = await serve(handler, { ...options, port: first.port });
    await client.send("b", { until: "delivered" });
    await client.close();
    assert.equal(gaps.length, 2);
    for (const gap of gaps) assert.ok(gap !== undefined && gap >= 250 && gap < 60_000, `${gap} ms`);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
});
