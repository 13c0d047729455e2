// The built package on other runtimes, in both roles.

import { after, describe } from "node:test";
import { noteCell, noteVersion } from "./matrix/test-cell.js";
import { PeerPool } from "./peers/peer-pool.js";
import { findRuntime } from "./peers/runtimes.js";
import * as common from "./scenes/common-tests.js";
import * as holdfast from "./scenes/holdfast-tests.js";
import { testJudgement } from "./scenes/judgement-tests.js";
import { testStoppedPeer } from "./scenes/stopped-peer.js";

const DENO_ZLIB = "without context takeover: zlib on Deno ignores the dictionaries of raw streams";

// Concurrently, because they mostly wait; the tests on one peer process run one after another.
describe("Holdfast on other runtimes", { concurrency: true }, () => {
  for (const name of ["Node.js 22", "Node.js 24", "Bun", "Deno"] as const) {
    const runtime = findRuntime(name);
    noteVersion(name, runtime.version);
    for (const role of ["server", "client"] as const) {
      const pool = new PeerPool(runtime.program("holdfast"));
      const peer = { name: `Holdfast on ${name}`, row: name, pool, skip: runtime.skip } as const;

      describe(`${name}, as a ${role}`, { concurrency: 1 }, () => {
        after(() => pool[Symbol.asyncDispose]());
        common.testMessages(peer, role);
        common.testFragments(peer, role);
        common.testPings(peer, role);
        common.testCloses(peer, role);
        common.testVariant(peer, role, "compression", holdfast.compressed);
        common.testVariant(peer, role, "TLS", () => common.secured(role));
        testStoppedPeer(peer, role);
        holdfast.testTheirVerdict(peer, role);
        testJudgement(peer, role);
        holdfast.testRefusal(peer, role);
        holdfast.testAbort(peer, role);
        if (name === "Deno") noteCell({ row: name, position: role, column: "compression" }, DENO_ZLIB);
      });
    }
  }
});
