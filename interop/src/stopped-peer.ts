// A peer whose process is stopped: the hanging host of which the network says nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "holdfast";
import { withTimeout } from "holdfast-testkit";
import { essenceOf, LIMIT, type TestedPeer, titleOf } from "./common-tests.js";
import { withPair } from "./pair.js";
import type { PeerRole } from "./python-peer.js";

const KEEPALIVE = { pingInterval: 200, pingTimeout: 600 };
const BOUND = KEEPALIVE.pingInterval + KEEPALIVE.pingTimeout;

/** For a machine that has other things to do; a stall of our own would rightly earn the peer more. */
const TOLERANCE = 300;

export function testStoppedPeer({ name, pool, skip }: TestedPeer, role: PeerRole): void {
  const title = `C5 C6 D9: ${titleOf(role, name)}: their process stops, and our verdict comes in time`;
  test(title, { skip, timeout: LIMIT }, async (t) => {
    const peer = await pool.get(role);
    await withPair(peer, { do: "echo" }, KEEPALIVE, async ({ connection, report }) => {
      await connection.ping();
      peer.stop();
      const stoppedAt = performance.now();
      try {
        const info = await withTimeout(connection.closed, 5_000, "the verdict");
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
          took > KEEPALIVE.pingTimeout / 2 && took <= BOUND + TOLERANCE,
          `The verdict took ${took} ms`,
        );
        assert.match(explain(info), /did not answer a ping within 600 ms.*Nothing was received/s);
        t.diagnostic(`ours, ${Math.round(took)} ms after they stopped (bound ${BOUND}): ${info.message}`);
        t.diagnostic(`ours, explained: ${explain(info)}`);
      } finally {
        peer.resume();
      }
      // They see our Close, unless the answers to our pings met the closed socket before.
      const { says, received } = await report("closed");
      assert.ok(received === null || [1006, 1011].includes(received.code), says);
      t.diagnostic(`theirs, once they run again: ${says}`);
    });
  });
}
