import assert from "node:assert/strict";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { attach, connect, serve, type Server } from "../../build/index.js";
import { eventually, testCertificates, type RawClient, type TestCertificates } from "holdfast-testkit";
import {
  END_HEADERS,
  END_STREAM,
  headerBlock,
  http2Attacker,
  http2Frame,
  SETTINGS,
  SETTINGS_ACK,
  TYPE,
  uint32,
  upgradeFields,
  upgradeFrame,
} from "./http2-frames.js";
import { echo } from "./servers.js";

const repeat = (count: number, make: (index: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));

/** A client's streams have odd numbers. */
const streamOf = (index: number) => 2 * index + 1;
const rst = (stream: number, code = 8) => http2Frame(TYPE.rst, 0, stream, uint32(code));
const goAway = http2Frame(TYPE.goaway, 0, 0, Buffer.concat([uint32(1), uint32(0)]));
const GET = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/"],
  [":authority", "localhost"],
] as const;

/** The frames after the preface and SETTINGS. */
const ATTACKS: Readonly<Record<string, Uint8Array>> = {
  "a thousand upgrades, each reset in the same write": repeat(1000, (index) =>
    Buffer.concat([upgradeFrame(streamOf(index)), rst(streamOf(index))]),
  ),
  "plain requests, each reset in the same write": repeat(500, (index) =>
    Buffer.concat([
      http2Frame(TYPE.headers, END_HEADERS | END_STREAM, streamOf(index), headerBlock(GET)),
      rst(streamOf(index)),
    ]),
  ),
  "refused upgrades, each reset in the same write": repeat(500, (index) =>
    Buffer.concat([
      upgradeFrame(streamOf(index), upgradeFields([["origin", "https://evil.example"]])),
      rst(streamOf(index), 0),
    ]),
  ),
  "an upgrade and GOAWAY": Buffer.concat([upgradeFrame(1), goAway]),
  "GOAWAY, then an upgrade": Buffer.concat([goAway, upgradeFrame(1)]),
  "GOAWAY ten thousand times": repeat(10_000, () => goAway),
  garbage: Buffer.alloc(20_000, 0xff),
  "an upgrade and garbage": Buffer.concat([upgradeFrame(1), Buffer.alloc(20_000, 0xff)]),
  pings: repeat(20_000, () => http2Frame(TYPE.ping, 0, 0, "12345678")),
  settings: repeat(20_000, () => SETTINGS),
  "acknowledgements of settings": repeat(20_000, () => SETTINGS_ACK),
  priorities: repeat(5_000, (index) => http2Frame(TYPE.priority, 0, streamOf(index), "\0\0\0\0\x01")),
  "resets of idle streams": repeat(2_000, (index) => rst(streamOf(index))),
  "resets of one stream": Buffer.concat([upgradeFrame(1), repeat(2_000, () => rst(1))]),
  "a window that overflows": Buffer.concat([
    upgradeFrame(1),
    http2Frame(TYPE.windowUpdate, 0, 1, uint32(0x7fffffff)),
    http2Frame(TYPE.windowUpdate, 0, 0, uint32(0x7fffffff)),
  ]),
  "window updates of nothing": Buffer.concat([
    upgradeFrame(1),
    repeat(1_000, () => http2Frame(TYPE.windowUpdate, 0, 1, uint32(0))),
  ]),
  "a head that never ends": Buffer.concat([
    http2Frame(TYPE.headers, 0, 1, headerBlock(upgradeFields())),
    repeat(2_000, (index) =>
      http2Frame(TYPE.continuation, 0, 1, headerBlock([[`x-${index}`, "y".repeat(100)]])),
    ),
  ]),
  "a head twice": Buffer.concat([upgradeFrame(1), upgradeFrame(1)]),
  "trailers after an upgrade": Buffer.concat([
    upgradeFrame(1),
    http2Frame(TYPE.headers, END_HEADERS | END_STREAM, 1, headerBlock([["x-trailer", "1"]])),
  ]),
  "an upgrade whose stream has ended": http2Frame(
    TYPE.headers,
    END_HEADERS | END_STREAM,
    1,
    headerBlock(upgradeFields()),
  ),
  "data without a head": http2Frame(TYPE.data, 0, 1, "hello"),
  "data after the end": Buffer.concat([
    upgradeFrame(1),
    http2Frame(TYPE.data, END_STREAM, 1, "\x88\x80\0\0\0\0"),
    http2Frame(TYPE.data, 0, 1, "\x81\x80\0\0\0\0"),
  ]),
  "a push": http2Frame(TYPE.push, END_HEADERS, 1, Buffer.concat([uint32(2), headerBlock(GET)])),
  "header tables that do not exist": http2Frame(TYPE.headers, END_HEADERS, 1, Buffer.alloc(100, 0xfe)),
  "names and values with control characters": upgradeFrame(
    1,
    upgradeFields([
      ["x\r\ny", "1"],
      ["z", "\r\nHost: evil"],
    ]),
  ),
  "fields of HTTP/1.1": upgradeFrame(
    1,
    upgradeFields([
      ["connection", "upgrade"],
      ["transfer-encoding", "chunked"],
    ]),
  ),
  "frames of unknown types": repeat(1_000, (index) => http2Frame(100 + (index % 100), 255, index, "x")),
  "a thousand upgrades and nothing else": repeat(1000, (index) => upgradeFrame(streamOf(index))),
};

// Most of the time passes while the heartbeats find out who is gone.
describe("HTTP/2 under attack", { concurrency: true }, () => {
  let certificates: TestCertificates;
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);

  before(async () => {
    certificates = await testCertificates();
    process.on("unhandledRejection", note).on("uncaughtException", note);
  });
  after(() => {
    process.off("unhandledRejection", note).off("uncaughtException", note);
  });

  /** The server soon closes the connections that an attacker leaves open. */
  const HEARTBEAT = { pingInterval: 1_000, pingTimeout: 3_000 };
  const kinds: Readonly<Record<string, () => Promise<{ server: Server; stop?: () => void }>>> = {
    "serve({ http2 })": async () => ({
      server: await serve(echo, { host: "127.0.0.1", http2: true, onRequest: maybeAnswer, ...HEARTBEAT }),
    }),
    "serve({ tls, http2 })": async () => ({
      server: await serve(echo, {
        host: "127.0.0.1",
        http2: true,
        tls: certificates.server,
        onRequest: maybeAnswer,
        ...HEARTBEAT,
      }),
    }),
    "attach() to node:http2": async () => {
      const httpServer = createHttp2Server((_request, response) => response.end("route"));
      await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
      return { server: attach(httpServer, echo, HEARTBEAT), stop: () => void httpServer.close() };
    },
    "attach() to node:http2 with allowHTTP1": async () => {
      const httpServer = createSecureServer(
        { ...certificates.server, allowHTTP1: true },
        (_request, response) => void response.end("route"),
      );
      await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
      return { server: attach(httpServer, echo, HEARTBEAT), stop: () => void httpServer.close() };
    },
  };

  for (const [number, [kind, start]] of Object.entries(kinds).entries()) {
    test(`H: no frames of a client end the process or the service of ${kind}`, async () => {
      const { ca } = certificates;
      const { server, stop } = await start();
      const { port } = server;
      const isSecure = server.url.startsWith("wss");
      const honest = await connect(server.url, {
        http2: true,
        tls: { ca },
        pingInterval: null,
        openTimeout: 60_000,
      });
      for (const [index, [name, bytes]] of Object.entries(ATTACKS).entries()) {
        const client = await http2Attacker({ port, timeout: 30_000, ...(isSecure ? { tls: { ca } } : {}) });
        client.write(bytes);
        await client.flushed().catch(() => undefined);
        await sleep(5);
        // Each attack ends with FIN on two of the kinds, and with RST on the others.
        if ((index + number) % 2 === 0) client.reset();
        await client.close();
        await sleep(0);
        assert.deepEqual(uncaught, [], name);
        await honest.send(name);
        assert.equal(await honest.recv({ timeout: 30_000 }), name);
      }
      // Node 20 stops reading after invalid frames and misses even the FIN; the heartbeat detects it.
      await eventually(() => server.connections.size === 1, "the attackers' connections to end", 30_000);
      // Several requests, each with its own session: none receives two responses.
      for (let count = 0; count < 3; count++) {
        const next = await connect(server.url, {
          http2: true,
          tls: { ca, minDHSize: 1024 + count },
          openTimeout: 60_000,
        });
        assert.equal((await next.close()).ok, true);
      }
      assert.equal((await honest.close()).ok, true);
      await server.close({ timeout: 5_000 });
      stop?.();
      assert.deepEqual(uncaught, []);
    });
  }

  test("H: upgrades that are reset while onRequest decides, or in the turn of its answer, end alone", async () => {
    const answers: (() => void)[] = [];
    const server = await serve(echo, {
      host: "127.0.0.1",
      http2: true,
      onRequest: async ({ target }) => {
        await new Promise<void>((resolve) => answers.push(resolve));
        return target === "/page" ? new Response("page") : undefined;
      },
    });
    const attack = async (client: RawClient, reset: () => void): Promise<void> => {
      client.write(repeat(20, (index) => upgradeFrame(streamOf(index))));
      const expected = answers.length + 20;
      await eventually(() => answers.length === expected, "onRequest to be called", 30_000);
      reset();
    };
    const first = await http2Attacker({ port: server.port });
    await attack(first, () => first.write(repeat(20, (index) => rst(streamOf(index)))));
    for (const answer of answers.splice(0)) answer();
    await sleep(20);
    const second = await http2Attacker({ port: server.port });
    await attack(second, () => second.reset());
    await sleep(20);
    for (const answer of answers.splice(0)) answer();
    const third = await http2Attacker({ port: server.port });
    await attack(third, () => third.write(Buffer.concat([goAway, Buffer.alloc(100, 0xff)])));
    for (const answer of answers.splice(0)) answer();
    for (const client of [first, second, third]) await client.close();
    await eventually(() => server.connections.size === 0, "the connections to end", 30_000);
    await server.close({ timeout: 5_000 });
    assert.deepEqual(uncaught, []);
  });
});

function maybeAnswer({ isUpgrade }: { isUpgrade: boolean }): Response | undefined {
  return isUpgrade ? undefined : new Response("x".repeat(100_000));
}
