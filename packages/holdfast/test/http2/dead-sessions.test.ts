// HTTP/2 connections that are dead when a WebSocket opens on them.

import assert from "node:assert/strict";
import type { ServerHttp2Stream } from "node:http2";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect, type ConnectOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  FaultProxy,
  TunnelProxy,
  type ResourceCounts,
} from "holdfast-testkit";
import { Http2Pair } from "./pairs.js";
import { ScriptedServer } from "./scripted-server.js";

const OPTIONS = { http2: true, pingInterval: null } as const;
const accept = (stream: ServerHttp2Stream) => stream.respond({ ":status": 200 });
/** The WebSocket closes; the HTTP/2 connection stays open for the next one. */
const acceptAndEnd = (stream: ServerHttp2Stream) => {
  accept(stream);
  stream.end();
};

describe("An HTTP/2 connection that dies without GOAWAY", () => {
  let resources: ResourceCounts;

  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await assertNothingLeft(resources, { timeout: 30_000 });
  });

  const ends: readonly (readonly [how: string, end: (server: ScriptedServer, index: number) => void])[] = [
    ["with FIN", (server, index) => server.sockets[index]?.end()],
    ["with a reset", (server, index) => server.sockets[index]?.resetAndDestroy()],
  ];
  for (const [how, end] of ends) {
    test(`B9: ${how}, when the second WebSocket is requested on it: that opens on a new one, each time`, async () => {
      // Every connection carries one WebSocket, and has closed by the time the next request arrives on it.
      await using server = await ScriptedServer.start((stream) => {
        const session = server.sessions.findIndex((candidate) => candidate === stream.session);
        if (seen.has(session)) end(server, session);
        else acceptAndEnd(stream);
        seen.add(session);
      });
      const seen = new Set<number>();
      for (let round = 0; round < 6; round++) {
        const connection = await connect(`${server.url}/`, OPTIONS);
        assert.equal((await connection.closed).cause, "eof");
      }
      assert.equal(server.sessions.length, 6);
      assert.equal(server.requests.length, 11, "each but the first was asked for twice");
    });

    test(`B9: ${how}, between two WebSockets, in the turn of the second: it opens`, async () => {
      await using server = await ScriptedServer.start(acceptAndEnd);
      for (let round = 0; round < 6; round++) {
        const connection = await connect(`${server.url}/`, OPTIONS);
        await connection.closed;
        end(server, server.sockets.length - 1);
      }
    });
  }

  test("B9: many WebSockets that fail with it share one new connection", async () => {
    let isFirst = true;
    await using server = await ScriptedServer.start((stream) => {
      if (stream.session !== server.sessions[0] || isFirst) accept(stream);
      else server.sockets[0]?.resetAndDestroy();
      isFirst = false;
    });
    const first = await connect(`${server.url}/`, OPTIONS);
    const others = await Promise.all(Array.from({ length: 20 }, () => connect(`${server.url}/`, OPTIONS)));
    assert.equal(server.sessions.length, 2);
    for (const connection of [first, ...others]) connection.terminate();
  });

  test("B9: if the new connection dies too, opening fails at once", async () => {
    let count = 0;
    await using server = await ScriptedServer.start((stream) => {
      if (++count === 1) accept(stream);
      else server.sockets.at(-1)?.resetAndDestroy();
    });
    const first = await connect(`${server.url}/`, OPTIONS);
    await assert.rejects(connect(`${server.url}/`, OPTIONS), { name: "HandshakeError", failure: "reset" });
    assert.equal(count, 3);
    first.terminate();
  });

  test("B9: a stream that the server resets on a live connection is not retried", async () => {
    let count = 0;
    await using server = await ScriptedServer.start((stream) => {
      if (++count === 1) accept(stream);
      else stream.close(2);
    });
    const first = await connect(`${server.url}/`, OPTIONS);
    await assert.rejects(connect(`${server.url}/`, OPTIONS), { name: "HandshakeError" });
    assert.equal(count, 2);
    first.terminate();
  });

  test("B9: a PING detects one that discards everything, within openTimeout", async () => {
    await using server = await ScriptedServer.start(accept);
    const proxy = await FaultProxy.start({ target: { port: Number(new URL(server.url).port) } });
    const options: ConnectOptions = { ...OPTIONS, openTimeout: 6_000 };
    const first = await connect(proxy.url("ws"), options);
    for (const connection of proxy.connections) connection.blackhole();
    const second = await connect(proxy.url("ws"), options);
    assert.notEqual(second.localAddress?.port, first.localAddress?.port);
    first.terminate();
    second.terminate();
    await proxy.close();
  });

  test("B9: a slow but live server receives one request only", async () => {
    let count = 0;
    await using server = await ScriptedServer.start((stream) => {
      if (++count === 1) accept(stream);
      else setTimeout(() => accept(stream), 2_500);
    });
    const options = { ...OPTIONS, openTimeout: 9_000 };
    const first = await connect(`${server.url}/`, options);
    const second = await connect(`${server.url}/`, options);
    assert.deepEqual([count, server.sessions.length], [2, 1]);
    first.terminate();
    second.terminate();
  });
});

describe("A shared HTTP/2 connection", () => {
  const ways: readonly (readonly [way: string, options: (proxy: TunnelProxy) => ConnectOptions])[] = [
    ["a proxy's URL", (proxy) => ({ proxy: proxy.url() })],
    ["a proxy with user info", (proxy) => ({ proxy: proxy.url("user:password") })],
    ["a proxy with headers", (proxy) => ({ proxy: { url: proxy.url(), headers: { "X-A": "1" } } })],
    [
      "a proxy with headers from pairs",
      (proxy) => ({ proxy: { url: proxy.url(), headers: [["X-A", "1"]] } }),
    ],
    ["a proxy with options of TLS", (proxy) => ({ proxy: { url: proxy.url(), tls: {} } })],
  ];
  for (const [way, options] of ways) {
    test(`B9: ${way}: WebSockets share one tunnel`, async () => {
      await using pair = await Http2Pair.start("wss");
      await using proxy = await TunnelProxy.start({});
      const connections = [];
      for (let count = 0; count < 3; count++) connections.push(await pair.connect(options(proxy)));
      assert.equal(proxy.requests.length, 1);
      for (const connection of connections) connection.terminate();
      await pair.server.close();
      await proxy.close();
    });
  }

  test("B9: other credentials and headers for the proxy make another tunnel", async () => {
    await using pair = await Http2Pair.start("wss");
    await using proxy = await TunnelProxy.start({});
    const connections = [
      await pair.connect({ proxy: proxy.url("a:1") }),
      await pair.connect({ proxy: proxy.url("b:1") }),
      await pair.connect({ proxy: { url: proxy.url("a:1"), headers: { "X-A": "1" } } }),
      await pair.connect({ proxy: { url: proxy.url("a:1"), headers: { "X-A": "2" } } }),
    ];
    assert.equal(proxy.requests.length, 4);
    for (const connection of connections) connection.terminate();
    await pair.server.close();
    await proxy.close();
  });

  test("B9: with the same lookup, and the same list of certificates, one is shared", async () => {
    await using pair = await Http2Pair.start("ws");
    const lookup: ConnectOptions["lookup"] = (_hostname, _options, callback) =>
      callback(null, "127.0.0.1", 4);
    const connections = [await pair.connect({ lookup }), await pair.connect({ lookup })];
    assert.equal(new Set(connections.map(({ localAddress }) => localAddress?.port)).size, 1);
    for (const connection of connections) connection.terminate();
  });
});
