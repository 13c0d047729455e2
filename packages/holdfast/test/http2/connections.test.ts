import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { ConnectionClosed, type Connection } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  FaultProxy,
  withTimeout,
  type ResourceCounts,
} from "holdfast-testkit";
import { Http2Pair } from "./pairs.js";

const MEBIBYTE = 1024 * 1024;

describe("A connection over HTTP/2", () => {
  let resources: ResourceCounts;

  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await assertNothingLeft(resources, { timeout: 30_000 });
  });

  for (const scheme of ["ws", "wss"] as const) {
    test(`B9: text, binary, empty messages and 1 MiB arrive whole and in order both ways over ${scheme}`, async () => {
      await using pair = await Http2Pair.start(scheme);
      const [client, server] = await pair.pair();
      const messages = [
        "hello",
        "",
        "grüße 🚀",
        new Uint8Array(0),
        new Uint8Array(MEBIBYTE).fill(7),
        "x".repeat(MEBIBYTE),
      ];
      for (const [from, to] of [
        [client, server],
        [server, client],
      ]) {
        const sending = Promise.all(messages.map((message) => from.send(message)));
        const received: unknown[] = [];
        while (received.length < messages.length) received.push(await to.recv({ timeout: 30_000 }));
        await sending;
        assert.deepEqual(received, messages);
      }
    });

    for (const side of ["client", "server"] as const) {
      test(`B9: the ${side} closes over ${scheme}, and both ends report both Close frames`, async () => {
        await using pair = await Http2Pair.start(scheme);
        const [client, server] = await pair.pair();
        const [closer, other] = side === "client" ? [client, server] : [server, client];
        const infos = [await closer.close(4000, "done"), await other.closed];
        assert.deepEqual(
          infos.map(({ message, cause, clean }) => ({ message, cause, clean })),
          [
            {
              message: "sent 4000 (private use) done; then received 4000 (private use) done",
              cause: "local-close",
              clean: true,
            },
            {
              message: "received 4000 (private use) done; then sent 4000 (private use) done",
              cause: "peer-close",
              clean: true,
            },
          ],
        );
      });

      test(`B9: terminate() of the ${side} over ${scheme} is a reset for the other end`, async () => {
        await using pair = await Http2Pair.start(scheme);
        const [client, server] = await pair.pair();
        const [ender, other] = side === "client" ? [client, server] : [server, client];
        ender.terminate();
        const info = await withTimeout(other.closed, 30_000, "the reset");
        assert.deepEqual(
          [info.cause, info.initiator, info.message],
          ["reset", "network", "no close frame received or sent"],
        );
        assert.match(String(info.error), /The HTTP\/2 stream was reset \(CANCEL\)/);
      });
    }
  }

  test("B9: pings measure the round trip, and compression and subprotocols are negotiated as over HTTP/1.1", async () => {
    await using pair = await Http2Pair.start("wss", { compression: true, subprotocols: ["chat"] });
    const [client, server] = await pair.pair({ compression: true, subprotocols: ["other", "chat"] });
    assert.ok((await client.ping()) > 0);
    assert.ok((await server.ping()) > 0);
    const text = "compressible ".repeat(1000);
    const received = server.recv({ timeout: 30_000 });
    await client.send(text);
    assert.equal(await received, text);
    const { bytesReceived } = (await client.close()).evidence;
    assert.ok(bytesReceived < text.length);
    assert.deepEqual(
      [client, server].map(({ subprotocol, extensions }) => ({ subprotocol, extensions: extensions.length })),
      [
        { subprotocol: "chat", extensions: 1 },
        { subprotocol: "chat", extensions: 1 },
      ],
    );
  });

  test("B9: both ends know the request, the answer, the URL and the addresses", async () => {
    await using pair = await Http2Pair.start("wss");
    const [client, server] = await pair.pair(
      {
        headers: { "X-Token": "a", Cookie: "b=c" },
        origin: pair.server.url.replace("wss", "https"),
      },
      `${pair.server.url}/chat?room=1`,
    );
    for (const connection of [client, server]) {
      const { url, request, response } = connection;
      assert.deepEqual(
        {
          url,
          method: request.method,
          target: request.target,
          headers: ["x-token", "cookie", "host", "upgrade", "sec-websocket-key"].map((name) =>
            request.headers.get(name),
          ),
          status: response.status,
        },
        {
          url: `${pair.server.url}/chat?room=1`,
          method: "CONNECT",
          target: "/chat?room=1",
          headers: ["a", "b=c", `127.0.0.1:${pair.server.port}`, null, null],
          status: 200,
        },
      );
    }
    assert.deepEqual(client.remoteAddress, { address: "127.0.0.1", port: pair.server.port });
    assert.deepEqual(client.remoteAddress, server.localAddress);
    assert.deepEqual(client.localAddress, server.remoteAddress);
  });

  test("B9: a hundred WebSockets share one TCP connection, and each has its own messages", async () => {
    await using pair = await Http2Pair.start("wss");
    const clients = await Promise.all(Array.from({ length: 100 }, () => pair.connect()));
    const ports = new Set(clients.map(({ localAddress }) => localAddress?.port));
    assert.equal(ports.size, 1);
    for (const server of pair.accepted)
      void server.forEach((message) => server.send(`echo ${String(message)}`));
    await Promise.all(clients.map((client, index) => client.send(`${index}`)));
    const echoes = await Promise.all(clients.map((client) => client.recv({ timeout: 30_000 })));
    assert.deepEqual(
      echoes,
      clients.map((_, index) => `echo ${index}`),
    );
    await Promise.all(clients.map((client) => client.close()));
  });

  test("B9: a consumer that reads nothing blocks only its own stream, and memory stays bounded", async () => {
    await using pair = await Http2Pair.start("ws");
    const [, slow] = await pair.pair();
    const [quick, quickServer] = await pair.pair();
    const chunk = new Uint8Array(64 * 1024);
    let sent = 0;
    const flood = (async () => {
      for (;;) {
        await slow.send(chunk);
        sent += chunk.length;
      }
    })().catch((error: unknown) => assert.ok(error instanceof ConnectionClosed));
    await eventually(
      () => slow.bufferedAmount > 64 * 1024 || sent > 32 * MEBIBYTE,
      "the flood to stall",
      30_000,
    );
    for (let index = 0; index < 100; index++) {
      void quickServer.send(`${index}`);
      assert.equal(await quick.recv({ timeout: 30_000 }), `${index}`);
    }
    assert.ok((await quick.ping()) > 0);
    assert.ok(sent < 8 * MEBIBYTE, `${sent} bytes went to a peer that reads nothing`);
    slow.terminate();
    await flood;
  });

  test("C7, B9: a peer that falls silent with megabytes queued is declared dead on time, and closing stays bounded", async () => {
    await using pair = await Http2Pair.start("ws");
    const proxy = await FaultProxy.start({ target: { port: pair.server.port } });
    const [client] = await pair.pair({ pingInterval: 300, pingTimeout: 300 }, proxy.url("ws"));
    await client.ping();
    const lost = client.localAddress?.port;
    proxy.freeze();
    const sends = Array.from({ length: 50 }, () =>
      client.send(new Uint8Array(MEBIBYTE)).catch(() => undefined),
    );
    const begin = performance.now();
    const info = await withTimeout(client.closed, 30_000, "the verdict");
    const took = performance.now() - begin;
    assert.equal(info.cause, "heartbeat-timeout");
    assert.ok(took < 20_000, `${took} ms`);
    await Promise.all(sends);
    // The HTTP/2 connection may be dead too, so the next WebSocket does not use it.
    proxy.thaw();
    const [next, server] = await pair.pair({}, proxy.url("ws"));
    assert.notEqual(next.localAddress?.port, lost);
    await next.send("alive");
    assert.equal(await server.recv({ timeout: 30_000 }), "alive");
    next.terminate();
    await proxy.close();
  });

  test("D4, B9: close() with a peer that does not read its stream ends within closeTimeout", async () => {
    await using pair = await Http2Pair.start("ws", { maxQueue: 1 });
    const [client] = await pair.pair({ closeTimeout: 300 });
    const sends = Array.from({ length: 20 }, () =>
      client.send(new Uint8Array(512 * 1024)).catch(() => undefined),
    );
    const begin = performance.now();
    const info = await withTimeout(client.close(), 30_000, "the end");
    assert.equal(info.cause, "close-timeout");
    assert.ok(performance.now() - begin < 20_000);
    await Promise.all(sends);
  });

  for (const [kind, cause] of [
    ["fin", "eof"],
    ["rst", "reset"],
  ] as const) {
    test(`B9: where the TCP connection ends with ${kind.toUpperCase()}, all of its WebSockets end as ${cause}`, async () => {
      await using pair = await Http2Pair.start("ws");
      const proxy = await FaultProxy.start({ target: { port: pair.server.port } });
      const clients: Connection[] = [];
      for (let index = 0; index < 3; index++) clients.push(await pair.connect({}, proxy.url("ws")));
      proxy.cut({ kind });
      const infos = await Promise.all(clients.map(({ closed }) => withTimeout(closed, 30_000, "the end")));
      assert.deepEqual(
        infos.map((info) => info.cause),
        [cause, cause, cause],
      );
      await proxy.close();
    });
  }
});
