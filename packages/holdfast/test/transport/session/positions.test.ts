// `session` while messages of a session are read that this client has not begun, or that has ended.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectPersistent, type KeptClient, type PersistentConnection } from "../../../build/index.js";
import { eventually } from "holdfast-testkit";
import { SessionPair } from "./session-pair.js";

type Read = readonly [message: string, id: string | undefined, position: number | undefined];

/** So many messages, each with the session and the position that its callback sees. */
async function read(client: PersistentConnection, count: number): Promise<Read[]> {
  const all: Read[] = [];
  const aborter = new AbortController();
  const { signal } = aborter;
  const reading = client.forEach(
    async (message) => {
      all.push([String(message), client.session?.id, client.session?.position]);
      await Promise.resolve();
      if (all.length === count) aborter.abort();
    },
    { signal },
  );
  await reading.catch((error: unknown) => assert.equal(error, signal.reason));
  return all;
}

async function sendUnread(pair: SessionPair, ...messages: readonly string[]): Promise<string | undefined> {
  for (const message of messages) await pair.connection.send(message, { until: "delivered" });
  return pair.client.session?.id;
}

describe("The session and the position of each message", { timeout: 300_000 }, () => {
  test("L5, L9: unread messages of a kept session have its id and their positions, also before it is resumed", async () => {
    let stored: string | null = null;
    let kept: KeptClient | null = null;
    const keep = {
      load: () => stored,
      save: (state: string) => void (stored = state),
      clear: () => void (stored = null),
      watch: (client: KeptClient) => {
        kept = client;
        return () => undefined;
      },
    };
    await using pair = await SessionPair.open({ client: { session: { keep } } });
    const id = await sendUnread(pair, "1", "2", "3");
    assert.equal(await pair.client.recv(), "1");
    (kept as KeptClient | null)?.suspend(); // TypeScript does not see the assignment.
    const second = connectPersistent(pair.proxy.url("ws"), { session: { keep }, minDelay: 0, firstDelay: 5 });
    assert.deepEqual(second.session, { id, isAttached: false, position: 1 });
    const reading = read(second, 3);
    await pair.connection.send("4");
    assert.deepEqual(await reading, [
      ["2", id, 2],
      ["3", id, 3],
      ["4", id, 4],
    ]);
    second.terminate();
  });

  for (const how of ["close", "terminate"] as const) {
    test(`L5: messages that are read after ${how}() have the id of the session and their positions`, async () => {
      await using pair = await SessionPair.open();
      const id = await sendUnread(pair, "1", "2");
      await pair.client.send("a", { until: "delivered" });
      await pair.client.send("b", { until: "delivered" });
      if (how === "close") await pair.client.close();
      else pair.client.terminate();
      await pair.connection.closed;
      assert.deepEqual(await read(pair.client, 2), [
        ["1", id, 1],
        ["2", id, 2],
      ]);
      assert.equal(await pair.connection.recv(), "a");
      assert.deepEqual(pair.connection.session, { id, isAttached: false, position: 1 });
    });
  }

  test("L5: messages of a lost session that are read later have its id, and those of the next one theirs", async () => {
    await using pair = await SessionPair.open();
    const id = await sendUnread(pair, "1", "2", "3");
    assert.equal(await pair.client.recv(), "1");
    await pair.cut();
    pair.connection.terminate();
    await pair.connection.closed;
    await pair.proxy.accept("forward");
    await eventually(() => pair.connections.length === 2, "the next session");
    assert.equal(pair.client.session?.id, id);
    await pair.connections[1]?.send("n1", { until: "delivered" });
    await pair.connections[1]?.send("n2", { until: "delivered" });
    const next = pair.connections[1]?.session?.id;
    assert.notEqual(next, id);
    assert.deepEqual(await read(pair.client, 4), [
      ["2", id, 2],
      ["3", id, 3],
      ["n1", next, 1],
      ["n2", next, 2],
    ]);
    assert.equal(pair.client.session?.id, next);
  });
});
