// The heartbeat of Holdfast on another runtime, in the cases that are hardest to judge. Runtimes differ in
// their timers, their sockets and the order in which their event loops do things.

import assert from "node:assert/strict";
import type { Connection } from "holdfast";
import { slowness } from "holdfast-testkit";
import { testCell } from "../matrix/test-cell.js";
import { withPair } from "../peers/pair.js";
import type { PeerRole } from "../peers/peer.js";
import { LIMIT, type TestedPeer, titleOf } from "./common-tests.js";

/** An end whose messages nobody reads drops them after 5 s, and then answers pings again: the verdict has to come before. */
const KEEPALIVE = { pingInterval: 300, pingTimeout: Math.min(1_900, 900 * slowness()) };
const BOUND = KEEPALIVE.pingInterval + KEEPALIVE.pingTimeout;

/** A tolerance for a busy machine; without a verdict the wait would never end. */
const TOLERANCE = 20_000;

/** Our options: no pings and no verdicts. */
const SILENT = { pingInterval: null };

export function testJudgement({ name, row, pool, skip }: TestedPeer, role: PeerRole): void {
  const options = { skip, timeout: LIMIT };

  const full = `C7: ${titleOf(role, name)}: we stop reading with 32 MiB on the way, and their verdict comes in time`;
  testCell({ row, position: role, column: "full write buffer" }, full, options, async () => {
    const theirs = await pool.get(role, { options: KEEPALIVE });
    // Nobody consumes messages: after one message reading pauses, and with it the peer's pings.
    const stuck = { ...SILENT, maxQueue: 1 };
    const startedAt = Date.now();
    await withPair(theirs, { do: "flood", bytes: 32 * 2 ** 20 }, stuck, async ({ report }) => {
      const { cause, endedAt = 0 } = await report("closed");
      assert.equal(cause, "heartbeat-timeout");
      const took = endedAt - startedAt;
      assert.ok(took <= BOUND + TOLERANCE, `The verdict took ${took} ms`);
    });
  });

  const stalled = `C8: ${titleOf(role, name)}: their event loop is blocked for 3 × pingTimeout, and they do not blame us`;
  testCell({ row, position: role, column: "own stall" }, stalled, options, async () => {
    const theirs = await pool.get(role, { options: KEEPALIVE });
    const script = { do: "stall", milliseconds: 3 * KEEPALIVE.pingTimeout } as const;
    await withPair(theirs, script, SILENT, async ({ connection, report }) => {
      await report("suspended");
      await assertLives(connection);
    });
  });

  const slow = `C10: ${titleOf(role, name)}: they do not read for 2 × pingTimeout, and do not blame us`;
  testCell({ row, position: role, column: "slow consumer" }, slow, options, async () => {
    const theirs = await pool.get(role, { options: { ...KEEPALIVE, maxQueue: 1 } });
    const script = { do: "doze", milliseconds: 2 * KEEPALIVE.pingTimeout } as const;
    const messages = Array.from(Array(50).keys(), (index) => `${index}${"x".repeat(100_000)}`);
    await withPair(theirs, script, { ...SILENT, maxQueue: null }, async ({ connection }) => {
      for (const message of messages) void connection.send(message);
      for (const message of messages) assert.equal(await connection.recv({ timeout: LIMIT }), message);
      await assertLives(connection);
    });
  });
}

/** Waits until after the time of the next possible verdict. */
async function assertLives(connection: Connection): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, BOUND + 100));
  await connection.send("still there");
  assert.equal(await connection.recv({ timeout: LIMIT }), "still there");
}
