// Handlers that only send, while their clients send too, over real sockets.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  connect,
  connectPersistent,
  serve,
  type Connection,
  type ServerConnection,
} from "../../build/index.js";

const HANDLERS: readonly (readonly [string, (connection: ServerConnection) => unknown, count: number])[] = [
  ["awaits `closed`", (connection) => connection.closed, 5_000],
  ["returns at once", (connection) => void connection.send("welcome"), 5_000],
  [
    "reads one message, and then awaits `closed`",
    async (connection) => {
      await connection.recv();
      await connection.closed;
    },
    5_000,
  ],
  [
    "discards",
    async (connection) => {
      connection.discard();
      await connection.closed;
    },
    50_000,
  ],
];

async function sendMany(connection: Pick<Connection, "send">, count: number): Promise<void> {
  for (let index = 0; index < count; index++) void connection.send(`message ${index}`).catch(() => undefined);
  await connection.send("the last one");
}

describe("a handler that only sends", () => {
  for (const [what, handler, count] of HANDLERS) {
    test(`D10: a client that has sent ${count} messages to a handler that ${what} closes cleanly`, async () => {
      await using server = await serve(handler, { host: "127.0.0.1" });
      const connection = await connect(server.url);
      await sendMany(connection, count);
      const info = await connection.close();
      assert.deepEqual([info.clean, info.ok, info.cause], [true, true, "local-close"]);
    });
  }

  test("D10: the same if the client is persistent, and if the server sends to a client without a reader", async () => {
    await using server = await serve(
      async (connection) => {
        await sendMany(connection, 5_000);
        const { clean } = await connection.close(4000, "enough");
        ends.push(clean);
      },
      { host: "127.0.0.1" },
    );
    const ends: boolean[] = [];
    const discarding = connectPersistent(server.url, { retryable: () => false });
    discarding.discard();
    const idle = connectPersistent(server.url, { retryable: () => false });
    const infos = await Promise.all([discarding.closed, idle.closed]);
    assert.deepEqual(
      infos.map(({ clean, code }) => [clean, code]),
      [
        [true, 4000],
        [true, 4000],
      ],
    );
    assert.deepEqual(ends, [true, true]);
    await assert.rejects(discarding.recv(), { name: "InvalidStateError" });
  });
});
