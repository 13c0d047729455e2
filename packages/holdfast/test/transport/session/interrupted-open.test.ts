// Messages that a session has counted and that nobody has read yet when its socket ends: they are not sent again.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectPersistent, type Connection, type KeptClient } from "../../../build/index.js";
import { Deferred } from "../../../build/shared/deferred.js";
import { eventually } from "holdfast-testkit";
import { receive, SessionPair, type PairOptions } from "./session-pair.js";

interface Interrupted extends AsyncDisposable {
  readonly pair: SessionPair;
  /** How often `onOpen` was called. */
  readonly runs: () => number;
}

/** A pair whose first `onOpen` does not settle by itself, while two messages of the server are delivered. */
async function openInterrupted(
  onOpen: (connection: Connection, run: number) => unknown,
  client: PairOptions["client"] = {},
): Promise<Interrupted> {
  let runs = 0;
  const pair = await SessionPair.begin({
    client: { ...client, onOpen: (connection) => onOpen(connection, ++runs) },
  });
  await eventually(() => pair.connections.length > 0 && runs === 1, "onOpen");
  return { pair, runs: () => runs, [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]() };
}

const never = new Promise(() => undefined);

async function sendTwo({ pair }: Interrupted): Promise<void> {
  await pair.connection.send("s1", { until: "delivered" });
  await pair.connection.send("s2", { until: "delivered" });
}

describe("A socket that ends during `onOpen`", { timeout: 300_000 }, () => {
  test("L1: `onOpen` runs again on the next socket of the session, which begins with the messages that nobody took", async () => {
    const read: unknown[] = [];
    await using scene = await openInterrupted(async (connection, run) => {
      if (run === 1) return never;
      read.push(await connection.recv());
      await connection.send("hello");
      return undefined;
    });
    const { pair } = scene;
    await sendTwo(scene);
    assert.equal(pair.client.session?.position, 0);
    await pair.cut();
    assert.equal(pair.client.session?.position, 0);
    await pair.connection.send("s3");
    await pair.reconnect();
    assert.deepEqual(await receive(pair.client, 2), ["s2", "s3"]);
    assert.deepEqual(await receive(pair.connection, 1), ["hello"]);
    assert.deepEqual([read, scene.runs(), pair.connections.length], [["s1"], 2, 1]);
    await pair.cut();
    await pair.reconnect();
    await pair.connection.send("s4", { until: "delivered" });
    assert.equal(scene.runs(), 2); // It has fulfilled in this session.
  });

  test("L1: several cuts in a row lose nothing either", async () => {
    await using scene = await openInterrupted((_connection, run) => (run <= 3 ? never : undefined));
    const { pair } = scene;
    await sendTwo(scene);
    for (let run = 2; run <= 4; run++) {
      await pair.cut();
      await pair.connection.send(`s${run + 1}`);
      await pair.reconnect();
      await eventually(() => scene.runs() === run, `run ${run}`);
      if (run < 4) await pair.connection.send(`t${run}`, { until: "delivered" });
    }
    assert.deepEqual(await receive(pair.client, 7), ["s1", "s2", "s3", "t2", "s4", "t3", "s5"]);
  });

  test("L1: an `onOpen` that fails runs again, and the session goes on", async () => {
    const failing = new Deferred();
    await using scene = await openInterrupted(async (_connection, run) => {
      if (run > 1) return;
      await failing.promise;
      throw new Error("not ready");
    });
    const { pair } = scene;
    await sendTwo(scene);
    const { id } = pair.client.session ?? {};
    failing.resolve();
    assert.deepEqual(await receive(pair.client, 2), ["s1", "s2"]);
    assert.deepEqual([scene.runs(), pair.client.session?.id, pair.connections.length], [2, id, 1]);
  });

  test("L9: a client that continues a kept session runs `onOpen` if it had not fulfilled, with those messages", async () => {
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
    await using scene = await openInterrupted(() => never, { session: { keep } });
    const { pair } = scene;
    await sendTwo(scene);
    const first = kept as KeptClient | null; // TypeScript does not see the assignment.
    first?.suspend();
    const read: unknown[] = [];
    const second = connectPersistent(pair.proxy.url("ws"), {
      session: { keep },
      onOpen: async (connection) => void read.push(await connection.recv()),
    });
    assert.deepEqual([await receive(second, 1), read, pair.connections.length], [["s2"], ["s1"], 1]);
    second.terminate();
  });

  test("L5: if the session is lost, the stream delivers the messages before those of the next session", async () => {
    await using scene = await openInterrupted((_connection, run) => (run === 1 ? never : undefined));
    const { pair } = scene;
    await sendTwo(scene);
    await pair.cut();
    pair.connection.terminate();
    await pair.connection.closed;
    await pair.proxy.accept("forward");
    await eventually(() => pair.connections.length === 2, "the next session");
    await pair.connections[1]?.send("n1");
    assert.deepEqual(await receive(pair.client, 3), ["s1", "s2", "n1"]);
    assert.equal(scene.runs(), 2);
  });

  test("L5: if the persistent connection ends, the stream ends with the messages", async () => {
    await using scene = await openInterrupted(() => never);
    await sendTwo(scene);
    const read: unknown[] = [];
    void scene.pair.client.close();
    for await (const message of scene.pair.client) read.push(message);
    assert.deepEqual(read, ["s1", "s2"]);
  });
});

describe("A Close that detaches a session whose inbox is full", { timeout: 300_000 }, () => {
  test("L1: messages for which there is no room do not count: they arrive on the next socket", async () => {
    await using pair = await SessionPair.open({ client: { maxQueue: 4 } });
    const all = Array.from({ length: 100 }, (_, index) => `s${index}`);
    await Promise.all(all.map((text) => pair.connection.send(text)));
    void pair.client.connection?.close(1012, "restart");
    assert.deepEqual(await receive(pair.client, 100), all);
    await pair.connection.send("last");
    assert.deepEqual(await receive(pair.client, 1), ["last"]);
    assert.equal(pair.connections.length, 1);
  });
});
