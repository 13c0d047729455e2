import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { connectPersistent } from "holdfast";
import { FaultProxy, freePort } from "holdfast-testkit";
import { natsEngine, natsSessionStore } from "../dist/index.js";
import { aRecord, PROOF, testStore } from "../../holdfast/test-dist/session/store-contract.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { missing, NatsServer } from "./nats-server.js";

describe("Sessions in NATS", { skip: missing }, () => {
  let server: NatsServer;
  let connection: NatsConnection;
  let stores = 0;
  before(async () => {
    server = await NatsServer.start();
    connection = await server.connect();
  });
  after(async () => {
    await connection.close();
    await server.close();
  });

  testStore("in NATS", async (use) => {
    const options = { connection, prefix: `store${++stores}` };
    await using one = natsSessionStore(options);
    await using other = natsSessionStore(options);
    await use(one, other);
  });

  test("L7: many changes are kept as one record, and stay what they are", async () => {
    await using store = natsSessionStore({ connection, prefix: `store${++stores}` });
    const { id, outgoing } = aRecord();
    await store.save(aRecord());
    for (let position = outgoing.sent + 1; position <= outgoing.sent + 150; position++) {
      await store.append(id, 1, [
        { type: "sent", position, message: `message ${position}` },
        { type: "confirmed", position: position - 3 },
      ]);
    }
    const claim = await store.claim(id, PROOF, 2000);
    assert.equal(claim.type, "claimed");
    assert.deepEqual(claim.record.outgoing.kept, ["message 157", "message 158", "message 159"]);
  });

  test("L7: engines and stores watch a connection once, and the last of them ends that", async () => {
    const shared = await server.connect();
    const asked: string[] = [];
    const status = shared.status.bind(shared);
    shared.status = () => {
      asked.push("status");
      return status();
    };
    const engine = natsEngine({ connection: shared, prefix: "shared" });
    const store = natsSessionStore({ connection: shared, prefix: "shared" });
    await engine.sessions.save(aRecord());
    await engine[Symbol.asyncDispose]();
    assert.equal((await store.claim(aRecord().id, PROOF, 2000)).type, "claimed");
    await store[Symbol.asyncDispose]();
    assert.deepEqual(asked, ["status"]);
    await shared.close();
  });

  test("L7: a store without an engine replaces a connection that is silent without a word", async () => {
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    const silent = await connect({ port: proxy.port, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    await using store = natsSessionStore({ connection: silent, prefix: `store${++stores}` });
    await store.save(aRecord());
    for (const half of proxy.connections) half.blackhole();
    await eventually(async () => {
      assert.equal((await store.claim(aRecord().id, PROOF, 2000)).type, "claimed");
    }, 30_000);
    await silent.close();
    await proxy.close();
  });

  test("L7: a process takes over the sessions of one that was killed, with the store of its engine", async () => {
    const port = await freePort();
    const received: string[] = [];
    const start = async (name: string): Promise<ChildProcess> => {
      const child = fork(
        new URL("session-process.js", import.meta.url),
        [server.port, port, name].map(String),
      );
      child.on("message", (message) => received.push(message as string));
      await eventually(() => assert.equal(received.at(-1), "listening"));
      return child;
    };
    const first = await start("first");
    const client = connectPersistent(`ws://127.0.0.1:${port}`, {
      session: true,
      firstDelay: 1,
      maxDelay: 200,
    });
    await client.send("one", { until: "delivered" });
    const id = client.session?.id;
    assert.ok(id !== undefined);
    first.kill("SIGKILL");
    const second = await start("second");
    await client.send("two", { until: "delivered" });
    await eventually(() => assert.deepEqual(received, ["listening", "first one", "listening", "second two"]));
    assert.equal(client.session?.id, id);
    await client.close();
    second.kill("SIGKILL");
  });
});
