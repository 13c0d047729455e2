// Combinations of permessage-deflate settings of this library and the npm package ws: all of them connect and echo.
//
// Every setting of either meets a tenth of the settings of the other, chosen so that each pair of two options meets.
// HOLDFAST_ALL_COMBINATIONS=1 runs them all (a minute).

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect, serve, type CompressionOptions } from "holdfast";
import { withTimeout } from "holdfast-testkit";
import { WebSocket, WebSocketServer, type PerMessageDeflateOptions, type RawData } from "ws";

const LIMIT = 30_000;
const TEXTS = ["small", "alike ".repeat(500), "alike ".repeat(501), "alike ".repeat(20_000)];
const STRIDE = process.env["HOLDFAST_ALL_COMBINATIONS"] === undefined ? 10 : 1;

function combined<A extends object, B extends object>(left: readonly A[], right: readonly B[]): (A & B)[] {
  return left.flatMap((a) => right.map((b) => ({ ...a, ...b })));
}

const ours: readonly CompressionOptions[] = combined(
  combined(
    [{}, { serverNoContextTakeover: true }],
    [{ threshold: 0 }, { threshold: 0, clientNoContextTakeover: true }],
  ),
  combined(
    [{}, { serverMaxWindowBits: 9 }, { serverMaxWindowBits: 15 }],
    [{}, { clientMaxWindowBits: 9 }, { clientMaxWindowBits: 15 }],
  ),
);

const theirs: readonly PerMessageDeflateOptions[] = combined(
  combined(
    [{}, { serverNoContextTakeover: true }, { serverNoContextTakeover: false }],
    [
      { threshold: 0 },
      { threshold: 0, clientNoContextTakeover: true },
      { threshold: 0, clientNoContextTakeover: false },
    ],
  ),
  combined(
    [{}, { serverMaxWindowBits: 10 }, { serverMaxWindowBits: 15 }],
    [{}, { clientMaxWindowBits: 10 }, { clientMaxWindowBits: 15 }],
  ),
);

/** The settings that meet the one at `index`: another tenth for each. */
function opposite<T>(settings: readonly T[], index: number): T[] {
  return settings.filter((_, other) => (other + index) % STRIDE === 0);
}

interface Echoing {
  readonly extensions: string;
  readonly received: readonly string[];
}

async function collect(failures: string[], what: object, run: () => Promise<Echoing>): Promise<void> {
  try {
    const { extensions, received } = await withTimeout(run(), LIMIT, "an echo");
    assert.match(extensions, /^permessage-deflate/);
    assert.deepEqual(received, TEXTS);
  } catch (error) {
    failures.push(`${JSON.stringify(what)}: ${(error as Error).message}`);
  }
}

test("B2: our client connects to every ws server and receives its echoes, for all compression settings", async () => {
  const failures: string[] = [];
  for (const [index, perMessageDeflate] of theirs.entries()) {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate });
    await once(server, "listening");
    server.on("connection", (socket) => {
      socket.on("message", (data: RawData) => socket.send((data as Buffer).toString()));
    });
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await Promise.all(
      opposite(ours, index).map((compression) =>
        collect(failures, { compression, perMessageDeflate }, async () => {
          await using connection = await connect(url, { compression });
          for (const text of TEXTS) void connection.send(text);
          const received: string[] = [];
          while (received.length < TEXTS.length) received.push(String(await connection.recv()));
          return { extensions: String(connection.extensions), received };
        }),
      ),
    );
    server.close();
  }
  assert.deepEqual(failures, [], failures.join("\n"));
});

test("B2: every ws client connects to our server and receives its echoes, for all compression settings", async () => {
  const failures: string[] = [];
  for (const [index, compression] of ours.entries()) {
    await using server = await serve(
      (connection) => void connection.forEach((message) => connection.send(message)),
      { host: "127.0.0.1", compression },
    );
    await Promise.all(
      opposite(theirs, index).map((perMessageDeflate) =>
        collect(failures, { compression, perMessageDeflate }, async () => {
          const socket = new WebSocket(server.url, { perMessageDeflate });
          await once(socket, "open");
          const received: string[] = [];
          const all = new Promise<void>((resolve) => {
            socket.on("message", (data: RawData) => {
              received.push((data as Buffer).toString());
              if (received.length === TEXTS.length) resolve();
            });
          });
          for (const text of TEXTS) socket.send(text);
          await all;
          socket.close();
          return { extensions: socket.extensions, received };
        }),
      ),
    );
  }
  assert.deepEqual(failures, [], failures.join("\n"));
});
