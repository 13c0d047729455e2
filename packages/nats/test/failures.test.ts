import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { ConnectionOptions } from "@nats-io/transport-node";
import { InvalidArgumentError } from "holdfast";
import { assertWithin, FaultProxy } from "holdfast-testkit";
import type { Engine } from "holdfast/topics";
import { natsEngine, type NatsEngineOptions } from "../dist/index.js";
import { failureWithin, ignore, publishingWith } from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { missing, NatsServer, openConnection, type ServerOptions } from "./nats-server.js";

const HISTORY = { messages: 10_000, age: 300_000 };
const MAX_ANSWER = 2_000;
const publish = publishingWith(HISTORY);
const failureOf = failureWithin(MAX_ANSWER);

describe("Failures of NATS", { skip: missing }, () => {
  const closing: (() => unknown)[] = [];
  after(async () => {
    for (const close of closing.reverse()) await close();
  });
  const start = async (options?: ServerOptions): Promise<NatsServer> => {
    const server = await NatsServer.start(options);
    closing.push(() => server.close());
    return server;
  };
  const open = async (
    server: NatsServer,
    options: Partial<NatsEngineOptions> = {},
    login: ConnectionOptions = {},
  ): Promise<Engine> => {
    const connection = await server.connect(login);
    const engine = natsEngine({ connection, ...options });
    closing.push(
      () => connection.close(),
      () => engine[Symbol.asyncDispose](),
    );
    return engine;
  };

  test("M8: while NATS is down, each call rejects within 2 s, and nothing was sent; then it recovers alone", async () => {
    const server = await start();
    const engine = await open(server);
    await eventually(() => publish(engine, "a", "before", { id: "before" }));
    await server.stop();
    await eventually(async () =>
      assert.equal((await failureOf(() => publish(engine, "a", "down"))).outcome, "unsent"),
    );
    const calls = [
      (): Promise<unknown> => publish(engine, "a", "down"),
      (): Promise<unknown> => engine.listen("b", ignore, ignore),
      (): Promise<unknown> => engine.read("a", { epoch: "e", offset: 0 }, 1),
      (): Promise<unknown> => engine.presence.list("a"),
      (): Promise<unknown> => engine.presence.join("a", { id: "1", data: 1 }),
      (): Promise<unknown> => engine.request("node", new Uint8Array(0), 5_000),
    ];
    const failures = await Promise.all(calls.map((call) => failureOf(call)));
    assert.deepEqual(
      failures.map(({ outcome }) => outcome),
      calls.map(() => "unsent"),
    );
    await server.start();
    assert.equal((await eventually(() => publish(engine, "a", "after", { id: "after" }))).offset, 2);
  });

  test("M8: a NATS that hangs is noticed within 2 s, and the outcome is unknown", async () => {
    const server = await start();
    const engine = await open(server);
    await eventually(() => publish(engine, "a", "before", { id: "before" }));
    await server.pause();
    try {
      assert.equal((await failureOf(() => publish(engine, "a", "hangs"))).outcome, "unknown");
    } finally {
      server.resume();
    }
    await eventually(() => publish(engine, "a", "after", { id: "after" }));
  });

  test("M8: where NATS takes 1 s for each answer, a call of several steps still settles within 2 s", async () => {
    const server = await start();
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    closing.push(() => proxy.close());
    const connection = await openConnection(proxy.port);
    const engine = natsEngine({ connection });
    closing.push(
      () => connection.close(),
      () => engine[Symbol.asyncDispose](),
    );
    for (const room of ["a", "b"]) {
      await eventually(() => publish(engine, room, "text", { id: room }));
      await eventually(() => engine.presence.join(room, { id: "1", data: 1 }));
    }
    proxy.delay(500);
    const calls = [
      (): Promise<unknown> => engine.listen("a", ignore, ignore),
      (): Promise<unknown> => engine.read("b", { epoch: "e", offset: 0 }, 1),
      (): Promise<unknown> => engine.presence.list("a"),
      (): Promise<unknown> => engine.presence.watch("b", ignore),
      (): Promise<unknown> => engine.presence.join("a", { id: "2", data: 2 }),
      (): Promise<unknown> => engine.presence.leave("b", "1"),
    ];
    for (const call of calls) {
      await assertWithin(2_700, async () => {
        const calledAt = performance.now();
        await call().catch((error: unknown) => assert.match(String(error), /EngineUnavailableError/));
        return performance.now() - calledAt;
      });
    }
    proxy.delay(0);
    const members = async (): Promise<readonly string[]> =>
      (await engine.presence.list("a")).members.map(({ id }) => id);
    await eventually(() => engine.presence.join("a", { id: "2", data: 2 }));
    assert.deepEqual(await eventually(members), ["1", "2"]);
  });

  test("M3: a restart begins a new epoch, since NATS may have lost what it confirmed; no message comes again", async () => {
    const server = await start();
    const engine = await open(server);
    const before = await publish(engine, "a", "before");
    await publish(engine, "a", "also before");
    await server.stop();
    await server.start();
    const next = await eventually(() => publish(engine, "a", "after", { id: "after" }));
    assert.notEqual(next.epoch, before.epoch);
    const page = await engine.read("a", { epoch: before.epoch ?? "", offset: 2 }, 10);
    assert.equal(page.isComplete, false);
    assert.deepEqual(
      page.messages.map(({ data }) => data),
      ["after"],
    );
  });

  test("M3: a stream that was deleted begins a new epoch at offset 1", async () => {
    const server = await start();
    const engine = await open(server, { prefix: "deleted" });
    const before = await publish(engine, "a", "before");
    const { jetstreamManager } = await import("@nats-io/jetstream");
    const admin = await server.connect();
    const manager = await jetstreamManager(admin);
    for await (const { config } of manager.streams.list("deleted.p.>"))
      await manager.streams.delete(config.name);
    await admin.close();
    const next = await publish(engine, "a", "after");
    assert.equal(next.offset, 1);
    assert.notEqual(next.epoch, before.epoch);
  });

  test("M4: an id is remembered when NATS restarts with what it has on its disk", async () => {
    const server = await start();
    const engine = await open(server);
    await publish(engine, "a", "once", { id: "id 1\n" });
    await server.stop();
    await server.start();
    const again = await eventually(() => publish(engine, "a", "once", { id: "id 1\n" }));
    assert.deepEqual([again.offset, again.isDuplicate], [1, true]);
  });

  test("M8: without JetStream and without permissions, the error says so at once", async () => {
    const plain = await open(await start({ hasJetStream: false }));
    for (const call of [
      (): Promise<unknown> => publish(plain, "a", "x"),
      (): Promise<unknown> => plain.listen("a", ignore, ignore),
      (): Promise<unknown> => plain.presence.join("a", { id: "1", data: 1 }),
    ]) {
      const { message, outcome } = await failureOf(call);
      assert.match(message, /JetStream is not enabled/);
      assert.equal(outcome, "unsent");
    }
    const server = await start();
    const config = join(server.folder, "denied.conf");
    writeFileSync(
      config,
      `authorization { users = [
        { user: reader, password: x, permissions: { publish: ["_INBOX.>"], subscribe: ["_INBOX.>"] } } ] }`,
    );
    const denied = await open(await start({ args: ["--config", config] }), {}, { user: "reader", pass: "x" });
    for (const call of [
      (): Promise<unknown> => publish(denied, "a", "x"),
      (): Promise<unknown> => denied.listen("a", ignore, ignore),
    ]) {
      const { message, outcome } = await failureOf(call);
      assert.match(message, /denies/);
      assert.equal(outcome, "unsent");
    }
  });

  test("M8: options that make no sense are refused", async () => {
    const connection = await (await start()).connect();
    closing.push(() => connection.close());
    for (const wrong of [
      undefined,
      null,
      { connection: {} },
      { connection, prefix: "a.b" },
      { connection, storage: "disk" },
      { connection, replicas: 0 },
      { connection, prefx: "a" },
    ]) {
      assert.throws(() => natsEngine(wrong as unknown as NatsEngineOptions), InvalidArgumentError);
    }
  });
});
