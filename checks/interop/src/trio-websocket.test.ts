import assert from "node:assert/strict";
import { after, describe } from "node:test";
import { explain } from "holdfast";
import { withTimeout } from "holdfast-testkit";
import { noteVersion, testCell } from "./matrix/test-cell.js";
import { withPair } from "./peers/pair.js";
import { PeerPool } from "./peers/peer-pool.js";
import { findPackage, pythonProgram } from "./peers/python.js";
import * as common from "./scenes/common-tests.js";
import { testStoppedPeer } from "./scenes/stopped-peer.js";

const found = findPackage("trio_websocket", "trio-websocket", "python3-trio-websocket");
const pool = new PeerPool(pythonProgram("trio_websocket_peer"));
const peer = { name: "trio-websocket", row: "Python: trio-websocket", pool, skip: found.skip } as const;
noteVersion(peer.row, found.version);

describe("Python's trio-websocket", () => {
  after(() => pool[Symbol.asyncDispose]());

  for (const role of ["server", "client"] as const) {
    common.testMessages(peer, role);
    common.testOurFragments(peer, role);
    common.testPings(peer, role);
    common.testCloses(peer, role);
    testStoppedPeer(peer, role);

    const title = `D6: ${common.titleOf(role, peer.name)}: we stop answering pings, and their heartbeat recipe leaves`;
    const cell = { row: peer.row, position: role, column: "their verdict" } as const;
    testCell(cell, title, { skip: peer.skip, timeout: common.LIMIT }, async (t) => {
      const script = { do: "heartbeat", timeout: 0.3, interval: 0.3 } as const;
      await withPair(await pool.get(role), script, { autoPong: false }, async ({ connection, report }) => {
        const info = await withTimeout(connection.closed, 30_000, "their verdict");
        await report("too slow");
        // The recipe throws TooSlowError, and leaving the block closes with 1000: on the wire, a verdict
        // looks like a normal close.
        const frame = { code: 1000, reason: "" };
        assert.deepEqual(common.essenceOf(info), {
          ...frame,
          received: frame,
          sent: frame,
          receivedFirst: true,
          clean: true,
          ok: true,
          initiator: "peer",
          cause: "peer-close",
          message: "received 1000 (OK); then sent 1000 (OK)",
        });
        const closed = await report("closed");
        assert.deepEqual(closed.received, frame);
        t.diagnostic(`theirs: TooSlowError, then ${closed.says}`);
        t.diagnostic(`ours: ${info.message}`);
        t.diagnostic(`ours, explained: ${explain(info)}`);
      });
    });
  }
});
