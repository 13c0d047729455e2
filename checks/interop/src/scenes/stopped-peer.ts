// A peer whose process is stopped: a host that hangs, which the network does not reveal.

import assert from "node:assert/strict";
import { explain } from "holdfast";
import { slowness, withTimeout } from "holdfast-testkit";
import { testCell } from "../matrix/test-cell.js";
import { withPair } from "../peers/pair.js";
import type { PeerRole } from "../peers/peer.js";
import type { PeerPool } from "../peers/peer-pool.js";
import { essenceOf, LIMIT, type TestedPeer, titleOf } from "./common-tests.js";
import { verdictBound } from "./verdict-bound.js";

const KEEPALIVE = { pingInterval: 200, pingTimeout: 600 * slowness() };
const BOUND = KEEPALIVE.pingInterval + KEEPALIVE.pingTimeout;

/** A peer in its own process, which can be stopped. */
export interface StoppablePeer extends TestedPeer {
  readonly pool: PeerPool;
}

export function testStoppedPeer({ name, row, pool, skip }: StoppablePeer, role: PeerRole): void {
  const cell = { row, position: role, column: "hangs: our verdict" } as const;
  const title = `C5 C6 D9: ${titleOf(role, name)}: their process stops, and our verdict comes in time`;
  // If the peer itself is missing, that is the reason to report.
  const reason = skip === false && process.platform === "win32" ? "Windows stops no process" : skip;
  testCell(cell, title, { skip: reason, timeout: LIMIT }, async (t) => {
    const peer = await pool.get(role);
    await withPair(peer, { do: "echo" }, KEEPALIVE, async ({ connection, report }) => {
      await connection.ping();
      peer.stop();
      const stoppedAt = performance.now();
      try {
        const info = await withTimeout(connection.closed, 30_000, "the verdict");
        const took = performance.now() - stoppedAt;
        assert.deepEqual(essenceOf(info), {
          code: 1006,
          reason: "",
          received: null,
          sent: { code: 1011, reason: "keepalive ping timeout" },
          receivedFirst: false,
          clean: false,
          ok: false,
          initiator: "local",
          cause: "heartbeat-timeout",
          message: "sent 1011 (internal error) keepalive ping timeout; no close frame received",
        });
        assert.ok(
          took <= verdictBound(KEEPALIVE, info.evidence.longestStall),
          `The verdict took ${took} ms, our longest stall was ${info.evidence.longestStall} ms`,
        );
        assert.match(explain(info), /did not answer a ping within [\d.]+ m?s.*Nothing was received/s);
        t.diagnostic(`ours, ${Math.round(took)} ms after they stopped (bound ${BOUND}): ${info.message}`);
        t.diagnostic(`ours, explained: ${explain(info)}`);
      } finally {
        peer.resume();
      }
      // They see our Close, unless the answers to our pings reached the closed socket before.
      const { says, received } = await report("closed");
      assert.ok(received === null || [1006, 1011].includes(received.code), says);
      t.diagnostic(`theirs, once they run again: ${says}`);
    });
  });
}
