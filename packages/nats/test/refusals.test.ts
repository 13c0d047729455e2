// NATS that refuses, is full, goes silent, or is a cluster that loses a server.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FaultProxy } from "holdfast-testkit";
import { MessageTooBigError } from "holdfast";
import { createTopics, type Engine, type EngineUnavailableError, type Position } from "holdfast/topics";
import { natsEngine, natsSessionStore, type NatsEngineOptions } from "../dist/index.js";
import { aRecord, PROOF } from "../../holdfast/test-dist/session/store-contract.js";
import { failureWithin, ignore, publishingWith } from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { startCluster } from "./cluster.js";
import { missing, NatsServer, openConnection } from "./nats-server.js";

const HISTORY = { messages: 10_000, age: 300_000 };
/** The promise is 2 s; timers of a busy machine are late. */
const MAX_ANSWER = 3_000;
const publish = publishingWith(HISTORY);
const failureOf = failureWithin(MAX_ANSWER);

const closing: (() => unknown)[] = [];
after(async () => {
  for (const close of closing.reverse()) await close();
});

async function openEngine(
  ports: readonly number[],
  options: Partial<NatsEngineOptions> = {},
): Promise<Engine> {
  const connection = await openConnection(ports[0] ?? 0, {
    servers: ports.map((port) => `127.0.0.1:${port}`),
  });
  const engine = natsEngine({ connection, ...options });
  closing.push(
    () => connection.close(),
    () => engine[Symbol.asyncDispose](),
  );
  return engine;
}

describe("NATS refuses", { skip: missing }, () => {
  test("M8: a nats-server before 2.9 is named as the reason, and nothing was sent", async () => {
    const engine = await openEngine([await startOldServer()]);
    for (const call of [
      (): Promise<unknown> => publish(engine, "a", "text"),
      (): Promise<unknown> => engine.listen("a", ignore, ignore),
      (): Promise<unknown> => engine.presence.list("a"),
    ]) {
      const { message, outcome } = await failureOf(call);
      assert.match(message, /Expected nats-server 2\.9 or later, got 2\.8\.4\./);
      assert.equal(outcome, "unsent");
    }
  });

  test("M8: JetStream that is full says so, and nothing was sent; messages without history still arrive", async () => {
    const server = await NatsServer.start();
    closing.push(() => server.close());
    const config = join(server.folder, "small.conf");
    writeFileSync(
      config,
      `jetstream { max_file_store: 1MB, max_memory_store: 1MB, store_dir: "${server.folder}/small" }`,
    );
    const small = await NatsServer.start({ hasJetStream: false, args: ["--config", config] });
    closing.push(() => small.close());
    const engine = await openEngine([small.port]);
    const received: unknown[] = [];
    await eventually(() => engine.listen("a", ({ data }) => void received.push(data), ignore));
    let failure: EngineUnavailableError | null = null;
    for (let count = 0; failure === null && count < 100; count++) {
      failure = await publish(engine, "full", "x".repeat(100_000)).then(
        () => null,
        (error: unknown) => error as EngineUnavailableError,
      );
    }
    assert.match(failure?.message ?? "", /^JetStream has reached a limit of its storage\./);
    assert.equal(failure?.outcome, "unsent");
    await publish(engine, "a", "plain", { history: null });
    await eventually(() => assert.deepEqual(received, ["plain"]));
  });

  test("M8: a message above max_payload is rejected for good, and others of the same turn are published", async () => {
    const { server } = await startWith(LIMIT);
    const topics = createTopics({ engine: await openEngine([server.port]), history: true });
    closing.push(() => topics.close());
    const [large, small] = await Promise.allSettled([
      topics.publish("a", "x".repeat(70_000), { id: "1" }),
      topics.publish("a", "y".repeat(60_000)),
    ]);
    assert(large.status === "rejected" && large.reason instanceof MessageTooBigError);
    const { size, limit, message } = large.reason;
    assert.deepEqual([size, limit < 65_536 && limit > 60_000], [70_000, true]);
    assert.match(message, /^Expected a message of at most \d+ bytes, .*`max_payload` 65536, got 70000\./);
    assert.equal(small.status, "fulfilled");
  });

  test("M8: members that do not fit into max_payload are rejected for good", async () => {
    const { server } = await startWith(LIMIT);
    const { presence } = await openEngine([server.port]);
    await eventually(() => presence.join("a", { id: "1", data: "ü".repeat(30_000) }));
    await assert.rejects(presence.join("a", { id: "2", data: "ü".repeat(10_000) }), {
      name: "MessageTooBigError",
      message: /^Expected the members of a topic of at most \d+ bytes, /,
    });
    assert.equal((await presence.list("a")).members.length, 1);
  });

  test("M8: the error of a server that keeps no replicas has its reason", async () => {
    const server = await NatsServer.start();
    closing.push(() => server.close());
    const engine = await openEngine([server.port], { replicas: 3 });
    const { message, outcome } = await eventually(() => failureOf(() => publish(engine, "a", "text")));
    assert.match(message, /^JetStream refused: .*replicas.*\. Nothing was sent/);
    assert.equal(outcome, "unsent");
  });

  test("M8: a server that no longer accepts the login is named as the reason, and nothing was sent", async () => {
    const { server, config } = await startWith("");
    const engine = await openEngine([server.port]);
    await eventually(() => publish(engine, "a", "before", { id: "before" }));
    await server.stop();
    writeFileSync(config, "authorization { user: someone, password: secret }");
    await server.start();
    // The client tries twice, and then closes the connection.
    await eventually(async () => {
      const { message, outcome, cause } = await failureOf(() => publish(engine, "a", "text"));
      assert.match(message, /^There is no connection to NATS: Authorization Violation\./);
      assert.match(String(cause), /Authorization Violation/);
      assert.equal(outcome, "unsent");
    });
  });

  test("L7: a change of a session above max_payload, and a long record, are kept in parts", async () => {
    const { server } = await startWith(LIMIT);
    const connection = await server.connect();
    closing.push(() => connection.close());
    await using store = natsSessionStore({ connection });
    const record = aRecord();
    await store.save(record);
    const position = record.outgoing.sent + 1;
    const append = (index: number, message: string): Promise<void> =>
      store.append(record.id, 1, [{ type: "sent", position: position + index, message }]);
    await append(0, "x".repeat(70_000));
    for (let index = 1; index <= 80; index++) await append(index, "y".repeat(2_000));
    const claim = await store.claim(record.id, PROOF, 2000);
    assert.equal(claim.type, "claimed");
    assert.equal(claim.record.outgoing.kept.length, record.outgoing.kept.length + 81);
  });

  test("M3: a connection that is silent without a word is made anew after 6 s, and its topics are looked at", async () => {
    const server = await NatsServer.start();
    closing.push(() => server.close());
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    closing.push(() => proxy.close());
    const [publisher, receiver] = [await openEngine([server.port]), await openEngine([proxy.port])];
    const received: unknown[] = [];
    const reported: (Position | null)[] = [];
    await receiver.listen(
      "a",
      ({ data }) => void received.push(data),
      (newest) => void reported.push(newest),
    );
    // Half-open from now on: no byte, no FIN.
    for (const connection of proxy.connections) connection.blackhole();
    const { epoch, offset } = await publish(publisher, "a", "missed");
    await eventually(() => assert.deepEqual(reported.at(-1), { epoch, offset }), 30_000);
    await publish(publisher, "a", "next");
    await eventually(() => assert.deepEqual(received, ["next"]));
  });
});

describe("A cluster of NATS", { skip: missing }, () => {
  test("M3: with three replicas, a topic continues without a gap after one server was killed", async () => {
    const servers = await startCluster();
    closing.push(...servers.map((server) => () => server.close()));
    const engine = await openEngine(
      servers.map(({ port }) => port),
      { replicas: 3 },
    );
    const received: unknown[] = [];
    await eventually(() => engine.listen("a", ({ data }) => void received.push(data), ignore));
    const before = await eventually(() => publish(engine, "a", "before", { id: "before" }), 30_000);
    await servers[0]?.stop("SIGKILL");
    const next = await eventually(() => publish(engine, "a", "after", { id: "id 1" }), 40_000);
    assert.deepEqual(next.epoch, before.epoch);
    assert.deepEqual([before.offset, next.offset], [1, 2]);
    const page = await eventually(() => engine.read("a", { epoch: before.epoch ?? "", offset: 0 }, 10));
    assert.deepEqual([page.isComplete, page.messages.map(({ data }) => data)], [true, ["before", "after"]]);
    await publish(engine, "a", "last");
    await eventually(() => assert.equal(received.at(-1), "last"));
  });
});

const LIMIT = "max_payload: 65536";

async function startWith(settings: string): Promise<{ server: NatsServer; config: string }> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-nats-"));
  const config = join(folder, "limit.conf");
  writeFileSync(config, settings);
  const server = await NatsServer.start({ args: ["--config", config] });
  closing.push(
    () => rmSync(folder, { recursive: true }),
    () => server.close(),
  );
  return { server, config };
}

/** A peer that introduces itself as nats-server 2.8.4. */
async function startOldServer(): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    const info = {
      server_id: "OLD",
      version: "2.8.4",
      headers: true,
      max_payload: 1_048_576,
      jetstream: true,
    };
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on("data", (chunk) => {
      for (const _ of chunk.toString("latin1").matchAll(/^PING\r$/gm)) socket.write("PONG\r\n");
    });
  }).listen(0, "127.0.0.1");
  closing.push(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // It listens on TCP.
}
