import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, heartbeat, keepalive, withHeartbeat } from "holdfast";
import { activeResources, assertNothingLeft, blockEventLoop, slowness, withTimeout } from "holdfast-testkit";
import { answerPings, openPair, ROLES } from "./pair.js";
import { startServerWorker } from "./peer-worker.js";

const quiet = { pingInterval: null };

describe("Heartbeat recipes over sockets", () => {
  for (const role of ROLES) {
    test(`C17: a ${role}'s heartbeat continues while the peer answers, and rejects within the timeout when the network freezes`, async () => {
      const before = activeResources();
      const pair = await openPair(role, quiet);
      void answerPings(pair.peer);
      const startedAt = performance.now();
      let frozenAt = Infinity;
      const timer = setTimeout(() => {
        frozenAt = performance.now();
        pair.proxy.freeze(pair.toPeer);
      }, 600);
      const beating = heartbeat(pair.connection, { timeout: 400, interval: 50 });
      await assert.rejects(withTimeout(beating, 30_000, "the heartbeat's end"), { name: "TooSlowError" });
      const now = performance.now();
      assert(now >= frozenAt && now - frozenAt < 400 + 50 + 10_000, `${now - frozenAt} ms after the freeze`);
      assert(pair.connection.latencyStats.answered > 2, `after ${frozenAt - startedAt} ms`);
      assert.equal(pair.connection.state, "open");
      clearTimeout(timer);
      await pair.close();
      await assertNothingLeft(before);
    });

    test(`C17: a ${role}'s heartbeat ends in the middle of a long sleep when the connection is reset`, async () => {
      const before = activeResources();
      const pair = await openPair(role, quiet);
      void answerPings(pair.peer);
      const result = withHeartbeat(
        pair.connection,
        { timeout: 5_000, interval: 3_600_000 },
        async (signal) => {
          for await (const _ of pair.connection) assert.fail("nothing was sent");
          return signal.aborted;
        },
      );
      setTimeout(() => pair.proxy.cut({ kind: "rst" }), 100);
      await assert.rejects(withTimeout(result, 30_000, "the end"), { name: "ConnectionClosedError" });
      await pair.close();
      await assertNothingLeft(before);
    });

    test(`C18: a ${role}'s keepalive() sends its messages until the peer closes`, async () => {
      const before = activeResources();
      const pair = await openPair(role, quiet);
      const running = keepalive(pair.connection, { interval: 40, message: (n) => `beat ${n}` });
      for (const expected of ["beat 0", "beat 1", "beat 2"]) {
        const frame = await pair.peer.readFrame({ timeout: 30_000 });
        assert.equal(Buffer.from(frame.payload).toString(), expected);
      }
      pair.peer.sendClose(1000);
      pair.peer.end();
      const closed = pair.connection.closed;
      await withTimeout(running, 30_000, "the end of keepalive()");
      assert.equal((await closed).received?.code, 1000);
      await pair.close();
      await assertNothingLeft(before);
    });
  }

  test("C8, C17: a loop blocked for three timeouts, with the pong in the kernel, causes no TooSlowError", async () => {
    const { url, worker } = await startServerWorker();
    const connection = await connect(url, quiet);
    const stop = new AbortController();
    const timeout = 400 * slowness();
    const beating = heartbeat(connection, { timeout, interval: 20, signal: stop.signal });
    for (let round = 0; round < 3; round++) {
      await sleep(30);
      blockEventLoop(3 * timeout);
    }
    // In the same turn, so that the ping is sent only after the block.
    const ping = connection.ping(null, { timeout });
    blockEventLoop(3 * timeout);
    await ping;
    stop.abort(new Error("enough"));
    await assert.rejects(beating, new Error("enough"));
    await connection.close();
    await worker.terminate();
  });
});
