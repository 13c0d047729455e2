// permessage-deflate with Python's websockets, in both roles.

import assert from "node:assert/strict";
import { after, describe } from "node:test";
import type { CompressionOptions } from "holdfast";
import { testCell } from "./matrix/test-cell.js";
import { withPair } from "./peers/pair.js";
import { PeerPool } from "./peers/peer-pool.js";
import { findPackage, pythonProgram } from "./peers/python.js";
import { ALIKE, LIMIT, titleOf } from "./scenes/common-tests.js";

const { skip } = findPackage("websockets", "websockets", "python3-websockets");
const pool = new PeerPool(pythonProgram("websockets_peer"));

const WISHES: readonly CompressionOptions[] = [
  {},
  { threshold: 0 },
  // Not 8: its zlib does not support that, and it fails.
  ...[9, 10, 11, 12, 13, 14, 15].map((bits) => ({
    threshold: 0,
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
  })),
  { threshold: 0, serverNoContextTakeover: true },
  { threshold: 0, clientNoContextTakeover: true },
  { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true, level: 9, memLevel: 9 },
];

describe("Python's websockets, compressed", () => {
  after(() => pool[Symbol.asyncDispose]());

  for (const role of ["server", "client"] as const) {
    const cell = { row: "Python: websockets", position: role, column: "compression" } as const;
    const title = `E8: ${titleOf(role, "websockets")}: compressed messages come back, whatever is agreed on (RFC 7692)`;
    testCell(cell, title, { skip, timeout: LIMIT }, async () => {
      const peer = await pool.get(role);
      for (const compression of WISHES) {
        await withPair(peer, { do: "echo" }, { compression }, async ({ connection }) => {
          assert.match(String(connection.extensions), /^permessage-deflate/);
          for (const message of ALIKE) void connection.send(message);
          const echoed = [];
          while (echoed.length < ALIKE.length) echoed.push(await connection.recv({ timeout: 30_000 }));
          assert.deepEqual(echoed, ALIKE);
          assert.equal((await connection.close()).clean, true);
        });
      }
    });

    testCell(
      cell,
      `E8: ${titleOf(role, "websockets")}: fragments of a compressed message become one (RFC 7692 section 6.2)`,
      { skip, timeout: LIMIT },
      async () => {
        const options = { compression: { threshold: 0 } };
        await withPair(await pool.get(role), { do: "fragments" }, options, async ({ connection }) => {
          assert.match(String(connection.extensions), /^permessage-deflate/);
          const messages = [
            await connection.recv({ timeout: 30_000 }),
            await connection.recv({ timeout: 30_000 }),
          ];
          assert.deepEqual(messages, ["Grüße, 世界", Uint8Array.of(0, 1, 2)]);
        });
      },
    );
  }
});
