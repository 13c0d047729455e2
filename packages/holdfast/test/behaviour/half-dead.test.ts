import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { explain } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  OPCODE,
  slowness,
  withTimeout,
  type ResourceCounts,
} from "holdfast-testkit";
import { answerPings, openPair, ROLES, type Pair } from "./pair.js";

const MB = 1024 * 1024;
/**
 * A tolerance beyond the promise. This machine is also busy with other work, and time in which our process
 * did not run counts as the peer's. The bounds are exact on the fake clock; this test only distinguishes a
 * verdict from none.
 */
const SLACK = 15_000;

describe("Half-dead peers on real sockets", () => {
  let resources: ResourceCounts;
  let pair: Pair | null = null;

  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await pair?.close();
    pair = null;
    await assertNothingLeft(resources);
  });

  const open = async (...args: Parameters<typeof openPair>) => (pair = await openPair(...args));

  for (const role of ROLES) {
    test(`C7: a ${role}'s peer that stops reading with 50 MB queued is declared dead on time`, async (t) => {
      const { connection, peer, proxy, toPeer } = await open(role, { pingInterval: 100, pingTimeout: 200 });
      void answerPings(peer);
      await sleep(120);
      proxy.freeze(toPeer);
      const began = performance.now();
      for (let count = 0; count < 50; count++) void connection.send(new Uint8Array(MB));
      const send = connection.send("never sent").catch((error: unknown) => error);
      const info = await withTimeout(connection.closed, 30_000, "the verdict");
      const elapsed = performance.now() - began;
      t.diagnostic(
        `verdict after ${elapsed.toFixed()} ms (promised: 300), ${(info.evidence.bytesBuffered / MB).toFixed(1)} MB unsent`,
      );
      assert(elapsed < 300 + SLACK, `${elapsed} ms`);
      assert.equal(info.cause, "heartbeat-timeout");
      assert.equal(
        info.message,
        "sent 1011 (internal error) keepalive ping timeout; no close frame received",
      );
      assert(info.evidence.bytesBuffered > 40 * MB);
      assert.match(explain(info), /MB were still unsent: the peer stopped reading/);
      assert.equal(await send, connection.signal.reason);
    });

    test(`C5: a ${role}'s peer that vanishes without FIN is declared dead on time`, async (t) => {
      const { connection, peer, proxy } = await open(role, { pingInterval: 100, pingTimeout: 200 });
      void answerPings(peer);
      await sleep(120);
      proxy.blackhole();
      const began = performance.now();
      const { cause } = await withTimeout(connection.closed, 30_000, "the verdict");
      const elapsed = performance.now() - began;
      t.diagnostic(`verdict after ${elapsed.toFixed()} ms (promised: 300)`);
      assert.deepEqual([cause, elapsed < 300 + SLACK], ["heartbeat-timeout", true]);
    });

    test(`C10: a ${role} that does not read for five pingTimeouts keeps the connection to its healthy peer`, async (t) => {
      const { connection, peer } = await open(role, { pingInterval: 100, pingTimeout: 500, maxQueue: 100 });
      void answerPings(peer);
      const events: string[] = [];
      connection.on("paused", ({ messages }) => events.push(`paused with ${messages}`));
      connection.on("resumed", ({ duration }) => events.push(`resumed after ${duration.toFixed()} ms`));
      const count = 1000; // Few enough that a pong behind them is soon read.
      for (let index = 0; index < count; index++) peer.sendText(`${index}`.padStart(200, "x"));
      await sleep(2500);
      assert.equal(connection.state, "open");
      for (let index = 0; index < count; index++) {
        assert.equal(await connection.recv(), `${index}`.padStart(200, "x"));
      }
      await sleep(1000);
      t.diagnostic(
        `${events.slice(0, 2).join(", ")}; ${events.length} events, ${connection.latencyStats.answered} pongs`,
      );
      assert.equal(connection.state, "open");
      assert.match(events[0], /^paused with \d+$/);
      assert.match(events[1], /^resumed after \d{2,5} ms$/);
    });

    test(`C12: a ping flood on a ${role} from a peer that never reads leaves memory flat, and ends on time`, async (t) => {
      const pingTimeout = 500 * slowness(); // Until then the flood has to be one.
      const { connection, peer, proxy, toPeer } = await open(role, { pingInterval: 500, pingTimeout });
      proxy.freeze(toPeer);
      const ping = peer.frame({ opcode: OPCODE.ping, payload: "x".repeat(100) });
      const flood = Buffer.concat(Array.from({ length: 1000 }, () => ping));
      const began = performance.now();
      const { external, heapUsed } = process.memoryUsage();
      let [pings, buffered, memory] = [0, 0, 0];
      while (connection.state === "open" && performance.now() - began < 30_000) {
        peer.write(flood);
        await peer.flushed();
        pings += 1000;
        const now = process.memoryUsage();
        memory = Math.max(memory, now.external + now.heapUsed - external - heapUsed);
        buffered = Math.max(buffered, connection.bufferedAmount);
      }
      const { cause } = await connection.closed;
      const elapsed = performance.now() - began;
      t.diagnostic(
        `${pings} pings in ${elapsed.toFixed()} ms; at most ${(buffered / 1024).toFixed()} KB unsent and ${(memory / MB).toFixed(1)} MB more in the process, garbage and peer included`,
      );
      assert.deepEqual([cause, elapsed < pingTimeout + SLACK], ["heartbeat-timeout", true]);
      assert(pings > 5000 && buffered < MB, `${pings} pings, ${buffered} bytes`);
    });

    type Scene = readonly [name: string, act: (pair: Pair) => void, message: string];
    const scenes: readonly Scene[] = [
      ["a mute peer", () => undefined, "sent 1000 (OK); no close frame received"],
      [
        "a full write buffer",
        ({ connection, proxy, toPeer }) => {
          proxy.freeze(toPeer);
          void connection.send(new Uint8Array(20 * MB));
        },
        "sent 1000 (OK); no close frame received",
      ],
      [
        "a peer that answers and keeps TCP open",
        ({ peer }) => {
          void peer.readFrame().then(() => peer.sendClose(1000));
        },
        "sent 1000 (OK); then received 1000 (OK)",
      ],
    ];
    for (const [name, act, message] of scenes) {
      test(`D4: a ${role}'s close() takes closeTimeout at most, with ${name}`, async (t) => {
        // The answer of the third peer has to arrive in time.
        const closeTimeout = message.endsWith("no close frame received") ? 100 : 1_000;
        const opened = await open(role, { pingInterval: null, closeTimeout });
        act(opened);
        const began = performance.now();
        const info = await withTimeout(opened.connection.close(), 30_000, "the end");
        const elapsed = performance.now() - began;
        t.diagnostic(`closed after ${elapsed.toFixed()} ms (promised: ${closeTimeout})`);
        assert.equal(info.message, message);
        // A server that has both Closes ends TCP at once, without waiting.
        const least = role === "server" && info.clean ? 0 : closeTimeout - 5;
        assert(elapsed >= least && elapsed < closeTimeout + SLACK, `${elapsed} ms`);
      });
    }

    test(`D4: a ${role} whose peer sends Close and never FIN ends after closeTimeout, and so do its readers`, async (t) => {
      const { connection, peer } = await open(role, { pingInterval: null, closeTimeout: 100 });
      const reading = connection.recv().catch((error: unknown) => error);
      const began = performance.now();
      peer.sendClose(1001, "bye");
      const error = await withTimeout(reading, 30_000, "recv()");
      const elapsed = performance.now() - began;
      t.diagnostic(`recv() ended after ${elapsed.toFixed()} ms (promised: 100)`);
      assert.equal(
        (error as Error).message,
        "received 1001 (going away) bye; then sent 1001 (going away) bye",
      );
      assert(elapsed < 100 + SLACK, `${elapsed} ms`);
    });
  }
});
