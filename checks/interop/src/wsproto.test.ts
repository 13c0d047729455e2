import { after, describe } from "node:test";
import { noteCell, noteVersion } from "./matrix/test-cell.js";
import { PeerPool } from "./peers/peer-pool.js";
import { findPackage, pythonProgram } from "./peers/python.js";
import * as common from "./scenes/common-tests.js";
import { testStoppedPeer } from "./scenes/stopped-peer.js";

const found = findPackage("wsproto", "wsproto", "python3-wsproto");
const pool = new PeerPool(pythonProgram("wsproto_peer"));
const peer = { name: "wsproto", row: "Python: wsproto", pool, skip: found.skip } as const;
noteVersion(peer.row, found.version);

describe("Python's wsproto", () => {
  after(() => pool[Symbol.asyncDispose]());

  for (const role of ["server", "client"] as const) {
    common.testMessages(peer, role);
    common.testFragments(peer, role);
    common.testPings(peer, role);
    common.testCloses(peer, role);
    testStoppedPeer(peer, role);
    noteCell({ row: peer.row, position: role, column: "their verdict" }, "has no keepalive of its own");
  }
});
