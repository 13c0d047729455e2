import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { explain } from "holdfast";
import { withTimeout } from "holdfast-testkit";
import { noteVersion, testCell } from "./matrix/test-cell.js";
import { withPair } from "./peers/pair.js";
import { PeerPool } from "./peers/peer-pool.js";
import { findPackage, pythonProgram } from "./peers/python.js";
import * as common from "./scenes/common-tests.js";
import { testStoppedPeer } from "./scenes/stopped-peer.js";

const found = findPackage("websockets", "websockets", "python3-websockets");
const pool = new PeerPool(pythonProgram("websockets_peer"));
const peer = { name: "websockets", row: "Python: websockets", pool, skip: found.skip } as const;
noteVersion(peer.row, found.version);

describe("Python's websockets", () => {
  after(() => pool[Symbol.asyncDispose]());

  test(
    "B3: a websockets client connects although its offer of compression is declined",
    { skip: peer.skip, timeout: common.LIMIT },
    async () => {
      await withPair(await pool.get("client"), { do: "echo" }, {}, async ({ connection }) => {
        assert.match(connection.request.headers.get("Sec-WebSocket-Extensions") ?? "", /permessage-deflate/);
        assert.equal(connection.response.headers.get("Sec-WebSocket-Extensions"), null);
        await connection.send("uncompressed");
        assert.equal(await connection.recv({ timeout: 30_000 }), "uncompressed");
      });
    },
  );

  for (const role of ["server", "client"] as const) {
    common.testMessages(peer, role);
    common.testFragments(peer, role);
    common.testPings(peer, role);
    common.testCloses(peer, role);
    common.testVariant(peer, role, "TLS", () => common.secured(role));
    testStoppedPeer(peer, role);

    const title = `D6 D9: ${common.titleOf(role, peer.name)}: we stop answering pings, and learn why they leave`;
    const cell = { row: peer.row, position: role, column: "their verdict" } as const;
    testCell(cell, title, { skip: peer.skip, timeout: common.LIMIT }, async (t) => {
      const keepalive = { ping_interval: 0.3, ping_timeout: 0.3 };
      const theirs = await pool.get(role, keepalive);
      await withPair(theirs, { do: "echo" }, { autoPong: false }, async ({ connection, report }) => {
        const info = await withTimeout(connection.closed, 30_000, "their verdict");
        const frame = { code: 1011, reason: "keepalive ping timeout" };
        const says = "1011 (internal error) keepalive ping timeout";
        assert.deepEqual(common.essenceOf(info), {
          ...frame,
          received: frame,
          sent: frame,
          receivedFirst: true,
          clean: true,
          ok: false,
          initiator: "peer",
          cause: "peer-close",
          message: `received ${says}; then sent ${says}`,
        });
        assert.match(explain(info), /The peer declared this side dead, because it saw no pong in time/);
        // After its verdict, it does not read our answer any more.
        const closed = await report("closed");
        assert.deepEqual([closed.sent, closed.received], [frame, null]);
        t.diagnostic(`theirs: ${closed.says}`);
        t.diagnostic(`ours: ${info.message}`);
        t.diagnostic(`ours, explained: ${explain(info)}`);
      });
    });
  }
});
