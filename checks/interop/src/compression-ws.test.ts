// permessage-deflate with the npm package ws, in both roles.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, serve, type CompressionOptions, type Connection } from "holdfast";
import { withTimeout } from "holdfast-testkit";
import { WebSocket, WebSocketServer, type PerMessageDeflateOptions, type RawData } from "ws";
import { testCell } from "./matrix/test-cell.js";

const LIMIT = 30_000;
const OPTIONS = { skip: false, timeout: 120_000 } as const;
const SERVER = { row: "ws", position: "server", column: "compression" } as const;
const CLIENT = { row: "ws", position: "client", column: "compression" } as const;

/** Similar messages, as applications send them, and a large one. */
const MESSAGES = Array.from(Array(20).keys(), (index) => {
  const rows = index === 10 ? 6000 : 1 + (index % 4);
  const row = (id: number) => ({ id, name: `Größe ${(id * 7919) % 101}`, at: (id * id + index) % 9973 });
  return JSON.stringify({ index, rows: Array.from(Array(rows).keys(), (id) => row(id)) });
});

const BOOLEANS = [false, true];

/** The settings of both ends. */
const WISHES = BOOLEANS.flatMap((serverNoContextTakeover) =>
  BOOLEANS.flatMap((clientNoContextTakeover) =>
    [9, 15].flatMap((serverMaxWindowBits) =>
      [9, 15].map((clientMaxWindowBits) => ({
        serverNoContextTakeover,
        clientNoContextTakeover,
        serverMaxWindowBits,
        clientMaxWindowBits,
      })),
    ),
  ),
);

/** Settings of ours that limit no window, to combine with each setting of the peer. */
const OPEN: CompressionOptions = { serverMaxWindowBits: 15, clientMaxWindowBits: 15, threshold: 0 };
const PAIRS: readonly (readonly [ours: CompressionOptions, theirs: PerMessageDeflateOptions])[] = [
  ...WISHES.map((wish) => [OPEN, { ...wish, threshold: 0 }] as const),
  ...WISHES.map((wish) => [{ ...wish, threshold: 0 }, { threshold: 0 }] as const),
  [{}, {}],
  [{ ...OPEN, serverMaxWindowBits: 8, clientMaxWindowBits: 8 }, { threshold: 0 }],
];

/** Sends all messages both ways at once, and compares the received ones. */
async function exchange(ours: Connection, theirs: WebSocket): Promise<void> {
  const arrived: string[] = [];
  const all = new Promise<void>((resolve) => {
    theirs.on("message", (data: RawData) => {
      arrived.push((data as Buffer).toString("utf8"));
      if (arrived.length === MESSAGES.length) resolve();
    });
  });
  for (const message of MESSAGES) {
    void ours.send(message);
    theirs.send(message);
  }
  const received = [];
  while (received.length < MESSAGES.length) received.push(await ours.recv({ timeout: LIMIT }));
  await withTimeout(all, LIMIT, "the messages at ws");
  assert.deepEqual(received, MESSAGES);
  assert.deepEqual(arrived, MESSAGES);
}

testCell(
  SERVER,
  "E8: our client, a ws server: messages pass both ways, with every agreement (RFC 7692)",
  OPTIONS,
  async () => {
    for (const [compression, perMessageDeflate] of PAIRS) {
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate });
      try {
        await once(server, "listening");
        const welcomed = once(server, "connection") as Promise<[WebSocket]>;
        const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const connection = await connect(url, { compression });
        const [socket] = await welcomed;
        assert.match(String(connection.extensions), /^permessage-deflate/);
        await exchange(connection, socket);
        assert.equal((await connection.close()).clean, true);
      } finally {
        server.close();
      }
    }
  },
);

testCell(
  CLIENT,
  "E8: our server, a ws client: messages pass both ways, with every agreement (RFC 7692)",
  OPTIONS,
  async () => {
    for (const [compression, perMessageDeflate] of PAIRS) {
      let welcome: (connection: Connection) => void = () => undefined;
      const welcomed = new Promise<Connection>((resolve) => (welcome = resolve));
      const server = await serve((connection) => welcome(connection), { host: "127.0.0.1", compression });
      try {
        const socket = new WebSocket(server.url, { perMessageDeflate });
        const opened = once(socket, "open");
        const connection = await withTimeout(welcomed, LIMIT, "ws to connect");
        await opened;
        assert.match(socket.extensions, /^permessage-deflate/);
        await exchange(connection, socket);
        assert.equal((await connection.close()).clean, true);
      } finally {
        await server.close();
      }
    }
  },
);
