// Holdfast on both sides of a proxy.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import {
  type CloseInfo,
  connect,
  type Connection,
  type ConnectionOptions,
  explain,
  HandshakeError,
  InvalidStatusError,
  serve,
  type Server,
} from "holdfast";
import { withTimeout } from "holdfast-testkit";
import { testCell } from "../matrix/test-cell.js";
import type { Column, Row } from "../matrix/tables.js";
import { Proxy, type ProxyKind, type ProxyOptions } from "../proxies/proxy.js";
import { ALIKE, LIMIT } from "./common-tests.js";

export interface TestedProxy {
  readonly row: Extract<Row, "nginx" | "HAProxy">;
  readonly kind: ProxyKind;
  readonly skip: string | false;
}

const RECEIVE = { timeout: 30_000 };

/**
 * The idle timeout of the proxies in these tests, in milliseconds. nginx applies it to the handshake as well, so a busy
 * machine must manage that in this time.
 */
const IDLE_TIMEOUT = 4_000;

const CLOSES = [
  { code: 1000, reason: "all done" },
  { code: 1011, reason: "" },
  { code: 1013, reason: "Grüße, 世界" },
  { code: 4999, reason: "r".repeat(123) },
];

export function testProxy({ row, kind, skip }: TestedProxy): void {
  const options = { skip, timeout: LIMIT };
  const cell = (column: Column) => ({ row, position: "between", column }) as const;

  testCell(
    cell("messages"),
    `E1: through ${row}: messages of 4 MiB pass both ways, pings too`,
    options,
    async () => {
      await through(kind, {}, { maxMessageSize: 2 ** 22 }, async ({ client }) => {
        for (const message of ["Grüße, 世界", new Uint8Array(randomBytes(2 ** 22))]) {
          await client.send(message);
          assert.deepEqual(await client.recv(RECEIVE), message);
        }
        assert.ok((await client.ping()) > 0);
      });
    },
  );

  testCell(cell("close codes"), `D1: through ${row}: close codes pass both ways`, options, async () => {
    for (const frame of CLOSES) {
      for (const [closing, closed] of [
        ["client", "server"],
        ["server", "client"],
      ] as const) {
        await through(kind, {}, {}, async (ends) => {
          const ours = await ends[closing].close(frame.code, frame.reason);
          const theirs = await withTimeout(ends[closed].closed, 30_000, "the Close at the other end");
          const exchanged = { received: frame, sent: frame, clean: true };
          assert.deepEqual(framesOf(ours), { ...exchanged, cause: "local-close" });
          assert.deepEqual(framesOf(theirs), { ...exchanged, cause: "peer-close" });
        });
      }
    }
  });

  testCell(
    cell("compression"),
    `E8: through ${row}: compression is agreed on, and works`,
    options,
    async () => {
      await through(kind, {}, { compression: { threshold: 0 } }, async ({ client, server }) => {
        assert.match(String(client.extensions), /^permessage-deflate/);
        assert.deepEqual(server.extensions, client.extensions);
        for (const message of ALIKE) void client.send(message);
        for (const message of ALIKE) assert.equal(await client.recv(RECEIVE), message);
      });
    },
  );

  const cut = `D9: through ${row}: without keepalive its idle timeout cuts, and explain() names it on both ends`;
  testCell(cell("idle cut explained"), cut, options, async (t) => {
    await untilOnTime(t, async () => {
      let ends: readonly CloseInfo[] = [];
      await through(
        kind,
        { idleTimeout: IDLE_TIMEOUT },
        { pingInterval: null },
        async ({ client, server }) => {
          await client.send("the last one");
          await client.recv(RECEIVE);
          ends = await withTimeout(Promise.all([client.closed, server.closed]), 30_000, "the cut");
        },
      );
      return ends;
    });
  });

  for (const pinging of ["client", "server"] as const) {
    const held = `C1: through ${row}: pings of the ${pinging} outlast its idle timeout`;
    testCell(cell("keepalive holds"), held, options, async () => {
      const pings = { pingInterval: IDLE_TIMEOUT / 4 };
      const silence = { pingInterval: null };
      const sides = pinging === "client" ? ([pings, silence] as const) : ([silence, pings] as const);
      await through(kind, { idleTimeout: IDLE_TIMEOUT }, sides, async ({ client, server }) => {
        const ended = Promise.race([client.closed, server.closed]);
        const outlasted = await Promise.race([ended, later(IDLE_TIMEOUT * 3)]);
        assert.equal(outlasted, "later", JSON.stringify(outlasted));
        await client.send("still there");
        assert.equal(await client.recv(RECEIVE), "still there");
      });
    });
  }

  const away = `B4: through ${row}: without a backend its ${kind.statusWithoutBackend} is the error; with one it works`;
  testCell(cell("backend away"), away, options, async () => {
    const server = await echoServer({});
    await using proxy = await Proxy.start(kind, { backendPort: server.port });
    await server.close();
    const error = await refusalOf(proxy.url);
    assert.ok(error instanceof InvalidStatusError, String(error));
    const { status, failure } = error;
    assert.deepEqual({ status, failure }, { status: kind.statusWithoutBackend, failure: "rejected" });
    await using _returned = await echoServer({}, server.port);
    const connection = await connect(proxy.url);
    assert.equal((await connection.close()).clean, true);
  });

  const reloaded = `D7 D9: through ${row}: a reload lets connections live until its timeout, and takes new ones at once`;
  testCell(cell("reload, stop"), reloaded, options, async () => {
    await through(kind, { shutdownTimeout: 6_000 }, {}, async ({ client, server, proxy }) => {
      const ended = Promise.all([client.closed, server.closed]);
      await proxy.reload();
      await client.send("through the old process");
      assert.equal(await client.recv(RECEIVE), "through the old process");
      for (const info of await withTimeout(ended, 30_000, "the old process to end")) assertCut(info);
      const next = await connect(proxy.url);
      await next.send("through the new one");
      assert.equal(await next.recv(RECEIVE), "through the new one");
      assert.equal((await next.close()).clean, true);
    });
  });

  const stopped = `D7 D9: through ${row}: it is stopped, both ends see the cut at once, and then it is refused`;
  testCell(cell("reload, stop"), stopped, options, async () => {
    await through(kind, {}, {}, async ({ client, server, proxy }) => {
      await client.ping();
      await proxy.stop();
      const ended = Promise.all([client.closed, server.closed]);
      for (const info of await withTimeout(ended, 30_000, "the cut")) assertCut(info);
      const error = await refusalOf(proxy.url);
      assert.ok(error instanceof HandshakeError && error.failure === "refused", String(error));
    });
  });
}

interface Ends {
  readonly client: Connection;
  readonly server: Connection;
  readonly proxy: Proxy;
}

/** A client and an echo server with the proxy in between; options for both, or for each. */
async function through(
  kind: ProxyKind,
  proxyOptions: Partial<ProxyOptions>,
  options: ConnectionOptions | readonly [client: ConnectionOptions, server: ConnectionOptions],
  body: (ends: Ends) => Promise<void>,
): Promise<void> {
  const [ofClient, ofServer] = "length" in options ? options : [options, options];
  await using server = await echoServer(ofServer);
  await using proxy = await Proxy.start(kind, { ...proxyOptions, backendPort: server.port });
  const client = await connect(proxy.url, ofClient);
  try {
    const [other] = server.connections;
    assert.ok(other);
    await body({ client, server: other, proxy });
  } finally {
    client.terminate();
    await client.closed;
  }
}

function echoServer(options: ConnectionOptions, port = 0): Promise<Server> {
  return serve((connection) => connection.forEach((message) => connection.send(message)), {
    host: "127.0.0.1",
    port,
    ...options,
  });
}

function framesOf({ received, sent, clean, cause }: CloseInfo): object {
  return { received, sent, clean, cause };
}

async function refusalOf(url: string): Promise<unknown> {
  try {
    (await connect(url)).terminate();
  } catch (error) {
    return error;
  }
  throw new Error(`Expected ${url} to refuse, got a connection`);
}

function assertCut(info: CloseInfo): void {
  assert.deepEqual([info.message, info.initiator], ["no close frame received or sent", "network"]);
  assert.match(info.cause, /^(?:eof|reset|write-failed)$/);
}

/**
 * Cuts an idle connection, and compares how both ends report it. Retries a few times if this process was too
 * busy to see the last message or the cut on time, because it cannot determine the timeout then.
 */
async function untilOnTime(t: TestContext, cut: () => Promise<readonly CloseInfo[]>): Promise<void> {
  for (let attempt = 1; attempt <= 6; attempt++) {
    const ends = await cut();
    for (const info of ends) assertCut(info);
    if (Math.max(...ends.map((info) => Math.abs(idleTime(info) - IDLE_TIMEOUT))) > 40) continue;
    for (const info of ends) {
      assert.match(
        explain(info),
        /idle for 4 s .*with keepalive off: .*proxy.* idle timeout.*`pingInterval`/s,
      );
    }
    return;
  }
  t.diagnostic(
    "This machine is too busy to tell a timeout from another end: the explanation was not compared",
  );
}

function idleTime({ evidence }: CloseInfo): number {
  return evidence.endedAt - Math.max(evidence.lastReceivedAt ?? 0, evidence.lastSentAt ?? 0);
}

function later(duration: number): Promise<"later"> {
  return new Promise((resolve) => setTimeout(resolve, duration, "later"));
}
