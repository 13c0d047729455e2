// Tests that every peer has to pass, in either role.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { CloseInfo } from "holdfast";
import { withPair } from "./pair.js";
import type { PeerPool } from "./peer-pool.js";
import type { PeerRole } from "./python-peer.js";

export interface TestedPeer {
  /** As the titles name it. */
  readonly name: string;
  readonly pool: PeerPool;
  readonly skip: string | false;
}

/** What tests wait at most, in milliseconds. */
export const LIMIT = 20_000;

const RECEIVE = { timeout: 10_000 };

/** Around the limits of the length's three forms (RFC 6455 section 5.2), and close to our limit for messages. */
const SIZES = [0, 1, 125, 126, 65_535, 65_536, 900_000];

const TEXTS = ["", "Hello", "Grüße, 世界 👋", "\0\x1b\u202e", "é".repeat(40_000)];

const CLOSES = [
  { code: 1000, reason: "all done", name: "OK" },
  { code: 1001, reason: "Grüße, 世界", name: "going away" },
  { code: 1011, reason: "out of order", name: "internal error" },
  { code: 3000, reason: "", name: "registered" },
  { code: 4999, reason: "r".repeat(123), name: "private use" },
];

/** The two ends, for titles. */
export function titleOf(role: PeerRole, name: string): string {
  return role === "server" ? `our client, a ${name} server` : `our server, a ${name} client`;
}

/** All of a CloseInfo that does not depend on times. */
export function essenceOf({ evidence: _evidence, error: _error, ...essence }: CloseInfo): object {
  return essence;
}

export function testMessages({ name, pool, skip }: TestedPeer, role: PeerRole): void {
  const options = { skip, timeout: LIMIT };

  test(`E1: ${titleOf(role, name)}: text comes back as it was sent`, options, async () => {
    await withPair(await pool.get(role), { do: "echo" }, {}, async ({ connection }) => {
      for (const text of TEXTS) await connection.send(text);
      for (const text of TEXTS) assert.equal(await connection.recv(RECEIVE), text);
    });
  });

  test(`E1: ${titleOf(role, name)}: bytes of every form of length come back`, options, async () => {
    await withPair(await pool.get(role), { do: "echo" }, {}, async ({ connection }) => {
      for (const size of SIZES) {
        const bytes = new Uint8Array(randomBytes(size));
        await connection.send(bytes);
        const answer = await connection.recv(RECEIVE);
        assert.ok(typeof answer !== "string" && Buffer.compare(answer, bytes) === 0, `${size} bytes`);
      }
    });
  });
}

export function testFragments({ name, pool, skip }: TestedPeer, role: PeerRole): void {
  const title = `E1: ${titleOf(role, name)}: their fragments become whole messages (RFC 6455 section 5.4)`;
  test(title, { skip, timeout: LIMIT }, async () => {
    await withPair(await pool.get(role), { do: "fragments" }, {}, async ({ connection }) => {
      const messages = [await connection.recv(RECEIVE), await connection.recv(RECEIVE)];
      assert.deepEqual(messages, ["Grüße, 世界", Uint8Array.of(0, 1, 2)]);
    });
  });
}

export function testPings({ name, pool, skip }: TestedPeer, role: PeerRole): void {
  const options = { skip, timeout: LIMIT };

  test(`C3: ${titleOf(role, name)}: our ping is answered, and its time is the latency`, options, async () => {
    await withPair(await pool.get(role), { do: "echo" }, { pingInterval: null }, async ({ connection }) => {
      const roundTrip = await connection.ping("are you there?");
      assertPlausible(roundTrip);
      assert.equal(connection.latency, roundTrip);
      const { sent, answered, lost } = connection.latencyStats;
      assert.deepEqual({ sent, answered, lost }, { sent: 1, answered: 1, lost: 0 });
    });
  });

  test(`C13: ${titleOf(role, name)}: their ping is answered, and they measure it`, options, async () => {
    await withPair(await pool.get(role), { do: "ping" }, {}, async ({ report }) => {
      assertPlausible((await report("pong")).latency);
    });
  });
}

export function testCloses({ name, pool, skip }: TestedPeer, role: PeerRole): void {
  for (const { code, reason, name: codeName } of CLOSES) {
    const frame = { code, reason };
    const says = reason === "" ? `${code} (${codeName})` : `${code} (${codeName}) ${reason}`;
    const shared = { code, reason, received: frame, sent: frame, clean: true, ok: code <= 1001 };
    const options = { skip, timeout: LIMIT };

    test(`D1: ${titleOf(role, name)}: we close with ${code}, and both know`, options, async () => {
      await withPair(await pool.get(role), { do: "echo" }, {}, async ({ connection, report }) => {
        assert.deepEqual(essenceOf(await connection.close(code, reason)), {
          ...shared,
          receivedFirst: false,
          initiator: "local",
          cause: "local-close",
          message: `sent ${says}; then received ${says}`,
        });
        assert.deepEqual((await report("closed")).received, frame);
      });
    });

    test(`D1: ${titleOf(role, name)}: they close with ${code}, and both know`, options, async () => {
      // Without our pings: one that reaches trio-websocket while it closes brings its whole server down.
      const silent = { pingInterval: null };
      await withPair(
        await pool.get(role),
        { do: "close", ...frame },
        silent,
        async ({ connection, report }) => {
          assert.deepEqual(essenceOf(await connection.closed), {
            ...shared,
            receivedFirst: true,
            initiator: "peer",
            cause: "peer-close",
            message: `received ${says}; then sent ${says}`,
          });
          assert.deepEqual((await report("closed")).received, frame);
        },
      );
    });
  }
}

/** A round trip on this machine, in milliseconds, with patience for a busy one. */
function assertPlausible(latency: number): void {
  assert.ok(latency > 0 && latency < 1_000, `${latency} ms`);
}
