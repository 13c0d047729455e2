// The npm package ws, uncompressed; compression-ws.test.ts has the rest.

import assert from "node:assert/strict";
import { after, describe } from "node:test";
import { noteCell, noteVersion, testCell } from "./matrix/test-cell.js";
import { installedVersion } from "./peers/installed-version.js";
import { withPair } from "./peers/pair.js";
import { PeerPool } from "./peers/peer-pool.js";
import { nodeProgram } from "./peers/runtimes.js";
import * as common from "./scenes/common-tests.js";
import { testStoppedPeer } from "./scenes/stopped-peer.js";

const pool = new PeerPool(nodeProgram("ws"));
const peer = { name: "ws", row: "ws", pool, skip: false } as const;
noteVersion(peer.row, installedVersion("ws"));

describe("ws", () => {
  after(() => pool[Symbol.asyncDispose]());

  for (const role of ["server", "client"] as const) {
    common.testMessages(peer, role);
    common.testFragments(peer, role);
    common.testPings(peer, role);
    common.testCloses(peer, role);
    common.testVariant(peer, role, "TLS", () => common.secured(role));
    testStoppedPeer(peer, role);
    noteCell({ row: "ws", position: role, column: "their verdict" }, "has no keepalive of its own");

    const cell = { row: "ws", position: role, column: "subprotocol" } as const;
    const title = `G6: ${common.titleOf(role, "ws")}: both agree on a subprotocol`;
    testCell(cell, title, { skip: false, timeout: common.LIMIT }, async () => {
      // ws's server selects the first offered one, and ours the one that it prefers.
      const subprotocols = role === "server" ? ["b", "a"] : ["c", "b"];
      const theirs = await pool.get(role, role === "client" ? { subprotocols: ["a", "b"] } : {});
      await withPair(theirs, { do: "echo" }, { subprotocols }, async ({ connection }) => {
        assert.equal(connection.subprotocol, "b");
        await connection.send("agreed");
        assert.equal(await connection.recv({ timeout: 30_000 }), "agreed");
      });
    });
  }
});
