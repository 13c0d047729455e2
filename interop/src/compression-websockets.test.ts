// permessage-deflate with Python's websockets, in both roles.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { CompressionOptions } from "holdfast";
import { LIMIT, titleOf } from "./common-tests.js";
import { withPair } from "./pair.js";
import { PeerPool } from "./peer-pool.js";
import { isMissing } from "./python.js";

const pool = new PeerPool("websockets_peer");
const skip = isMissing("websockets", "python3-websockets");

const WISHES: readonly CompressionOptions[] = [
  {},
  { threshold: 0 },
  { threshold: 0, serverMaxWindowBits: 15, clientMaxWindowBits: 15 },
  { threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
  { threshold: 0, serverNoContextTakeover: true },
  { threshold: 0, clientNoContextTakeover: true },
  { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true, level: 9, memLevel: 9 },
];

/** Alike, as messages of an application are; one is large, and one empty. */
const MESSAGES = Array.from(Array(20).keys(), (index) => {
  const rows = index === 10 ? 6000 : index % 4;
  if (rows === 0) return "";
  return JSON.stringify(Array.from(Array(rows).keys(), (id) => ({ id, name: `Größe ${(id * 7919) % 101}` })));
});

describe("Python's websockets, compressed", () => {
  after(() => pool[Symbol.asyncDispose]());

  for (const role of ["server", "client"] as const) {
    const title = `E8: ${titleOf(role, "websockets")}: compressed messages come back, whatever is agreed on (RFC 7692)`;
    test(title, { skip, timeout: LIMIT }, async () => {
      const peer = await pool.get(role);
      for (const compression of WISHES) {
        await withPair(peer, { do: "echo" }, { compression }, async ({ connection }) => {
          assert.match(String(connection.extensions), /^permessage-deflate/);
          for (const message of MESSAGES) void connection.send(message);
          const echoed = [];
          while (echoed.length < MESSAGES.length) echoed.push(await connection.recv({ timeout: 10_000 }));
          assert.deepEqual(echoed, MESSAGES);
          assert.equal((await connection.close()).clean, true);
        });
      }
    });

    test(
      `E8: ${titleOf(role, "websockets")}: fragments of a compressed message become one (RFC 7692 section 6.2)`,
      { skip, timeout: LIMIT },
      async () => {
        const options = { compression: { threshold: 0 } };
        await withPair(await pool.get(role), { do: "fragments" }, options, async ({ connection }) => {
          assert.match(String(connection.extensions), /^permessage-deflate/);
          const messages = [
            await connection.recv({ timeout: 10_000 }),
            await connection.recv({ timeout: 10_000 }),
          ];
          assert.deepEqual(messages, ["Grüße, 世界", Uint8Array.of(0, 1, 2)]);
        });
      },
    );
  }
});
