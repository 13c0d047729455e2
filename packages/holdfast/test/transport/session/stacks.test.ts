// Sessions over everything that carries them, and peers that know no sessions.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import {
  attach,
  connect,
  connectPersistent,
  NotSentError,
  serve,
  type ServeOptions,
} from "../../../build/index.js";
import { eventually, FaultProxy, RawServer, testCertificates } from "holdfast-testkit";
import { hear, keepOpen, receive, SessionPair } from "./session-pair.js";

describe("Sessions", { timeout: 300_000 }, () => {
  for (const http2 of [false, true]) {
    test(`L1: continue over TLS${http2 ? " and HTTP/2" : ""}`, async () => {
      const { server: tls, ca } = await testCertificates();
      const connections: unknown[] = [];
      const server = await serve(
        async (connection) => {
          connections.push(connection);
          for await (const message of connection) await connection.send(`re: ${String(message)}`);
        },
        { host: "127.0.0.1", tls, http2, sessions: true },
      );
      const proxy = await FaultProxy.start({ target: { port: server.port } });
      const client = connectPersistent(proxy.url("wss"), {
        session: true,
        http2,
        tls: { ca, servername: "localhost" },
        firstDelay: 5,
        maxDelay: 5,
      });
      try {
        const answers: unknown[] = [];
        for (let cut = 0; cut < 3; cut++) {
          for (let count = 0; count < 5; count++) void client.send(`${cut}.${count}`);
          answers.push(...(await receive(client, 3)));
          proxy.cut({ kind: "rst" });
          await eventually(() => client.session?.isAttached === false, "the cut");
          answers.push(...(await receive(client, 2)));
        }
        const expected = Array.from(
          { length: 15 },
          (_, index) => `re: ${Math.floor(index / 5)}.${index % 5}`,
        );
        assert.deepEqual(answers, expected);
        assert.equal(connections.length, 1);
      } finally {
        await client.close();
        await proxy.close();
        await server.close();
      }
    });
  }

  test('L3: queued messages with `until: "delivered"` are unsent where the server knows no sessions any more', async () => {
    const server = await serve(keepOpen, { host: "127.0.0.1", sessions: true });
    const { port, url } = server;
    const client = connectPersistent(url, { session: true, minDelay: 0, firstDelay: 5, maxDelay: 5 });
    const lost: unknown[] = [];
    client.on("lost", (event) => lost.push(event));
    await client.send("first", { until: "delivered" });
    await server.close();
    await eventually(() => client.session?.isAttached === false, "the end of the socket");
    const sends = [1, 2, 3].map((each) => client.send(`m${each}`, { until: "delivered" }));
    const other = client.send("other");
    const results = Promise.allSettled(sends);
    await using later = await serve(keepOpen, { host: "127.0.0.1", port });
    for (const result of await results) {
      assert(result.status === "rejected" && result.reason instanceof NotSentError);
      assert.deepEqual([result.reason.reason, result.reason.outcome], ["session-lost", "unsent"]);
    }
    await other;
    assert.deepEqual(lost, [{ reason: "unknown", unsent: 3, unknown: 0 }]);
    await assert.rejects(client.send("now", { until: "delivered" }), { name: "InvalidStateError" });
    assert.equal(later.connections.size, 1);
    client.terminate();
  });

  test("L1: continue on a server that is attached to an HTTP server", async () => {
    const http = createServer().listen(0, "127.0.0.1");
    await once(http, "listening");
    const { port } = http.address() as AddressInfo;
    const attached = attach(http, keepOpen, { sessions: true });
    const proxy = await FaultProxy.start({ target: { port } });
    const client = connectPersistent(proxy.url("ws"), { session: true, firstDelay: 5, maxDelay: 5 });
    try {
      await client.send("1", { until: "delivered" });
      proxy.cut({ kind: "rst" });
      await eventually(() => client.session?.isAttached === false, "the cut");
      await client.send("2", { until: "delivered" });
      const [connection] = attached.connections;
      assert.deepEqual(await receive(connection, 2), ["1", "2"]);
    } finally {
      await client.close();
      await proxy.close();
      await attached.close();
      http.close();
    }
  });

  test("L1: have the subprotocol that the application agreed on, on each socket", async () => {
    await using pair = await SessionPair.open({
      server: { subprotocols: ["chat"] },
      client: { subprotocols: ["chat", "other"] },
    });
    assert.deepEqual([pair.connection.subprotocol, pair.client.connection?.subprotocol], ["chat", "chat"]);
    await pair.cut();
    await pair.reconnect();
    assert.equal(pair.client.connection?.subprotocol, "chat");
    await pair.client.send("m");
    assert.deepEqual(await receive(pair.connection, 1), ["m"]);
  });

  test("L10: a server without sessions serves a client that wants one as before, and `session` is null", async () => {
    const plain: Partial<ServeOptions>[] = [{ sessions: null }, { sessions: null, linkProtocol: false }];
    for (const options of plain) {
      await using pair = await SessionPair.open({ server: options });
      await pair.client.send("c");
      await pair.connection.send("s");
      assert.deepEqual(await receive(pair.connection, 1), ["c"]);
      assert.deepEqual(await receive(pair.client, 1), ["s"]);
      assert.deepEqual([pair.client.session, pair.connection.session], [null, null]);
      await assert.rejects(pair.connection.send("m", { until: "delivered" }), { name: "InvalidStateError" });
    }
  });

  test("L10: a plain WebSocket server gets what it would get from a client without a session", async () => {
    await using server = await RawServer.start();
    const client = connectPersistent(`ws://127.0.0.1:${server.port}`, { session: true });
    const peer = await server.nextPeer();
    await peer.acceptUpgrade();
    await client.send("c");
    assert.equal(await hear(peer), "c");
    peer.sendText("s");
    assert.equal(await client.recv(), "s");
    assert.equal(client.session, null);
    client.terminate();
  });

  test("L10: a server with sessions serves clients without: plain ones, and those of the link protocol", async () => {
    await using pair = await SessionPair.open();
    for (const persistent of [null, undefined]) {
      const url = pair.proxy.url("ws");
      const before = pair.connections.length;
      const client = persistent === null ? connectPersistent(url) : await connect(url);
      await client.send("m");
      await eventually(() => pair.connections.length === before + 1, "the connection");
      const connection = pair.connections[before];
      assert.equal(connection.session, null);
      assert.equal(await connection.recv(), "m");
      await client.close();
    }
  });

  test("L1: do not count against `maxConnections` while they are without a socket", async () => {
    await using pair = await SessionPair.open({ server: { maxConnections: 1 } });
    await pair.cut();
    const other = await connect(`ws://127.0.0.1:${pair.server.port}`);
    await assert.rejects(connect(`ws://127.0.0.1:${pair.server.port}`), { status: 503 });
    await other.close();
    await pair.reconnect();
    await assert.rejects(connect(`ws://127.0.0.1:${pair.server.port}`), { status: 503 });
  });
});
