// Tests that every peer has to pass, in either role.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { CloseInfo } from "holdfast";
import { testCertificates } from "holdfast-testkit";
import type { Column, Row } from "../matrix/tables.js";
import { testCell } from "../matrix/test-cell.js";
import { type PairOptions, withPair } from "../peers/pair.js";
import type { PeerRole, Peers, PeerSettings } from "../peers/peer.js";

export interface TestedPeer {
  /** The name in the titles. */
  readonly name: string;
  /** Its row in the table. */
  readonly row: Row;
  readonly pool: Peers;
  readonly skip: string | false;
}

/** The longest wait of a test, in milliseconds. */
export const LIMIT = 120_000;

const RECEIVE = { timeout: 30_000 };

/** The limits of the three length encodings (RFC 6455 section 5.2), and our message limit. */
const SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_048_576];

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

/** The parts of a CloseInfo that do not depend on times. */
export function essenceOf({ evidence: _evidence, error: _error, ...essence }: CloseInfo): object {
  return essence;
}

export function testMessages({ name, row, pool, skip }: TestedPeer, role: PeerRole): void {
  const options = { skip, timeout: LIMIT };
  const cell = { row, position: role, column: "messages" } as const;

  testCell(cell, `E1: ${titleOf(role, name)}: text is echoed unchanged`, options, async () => {
    await withPair(await pool.get(role), { do: "echo" }, {}, async ({ connection }) => {
      for (const text of TEXTS) await connection.send(text);
      for (const text of TEXTS) assert.equal(await connection.recv(RECEIVE), text);
    });
  });

  testCell(
    cell,
    `E1: ${titleOf(role, name)}: bytes of every length encoding are echoed`,
    options,
    async () => {
      await withPair(await pool.get(role), { do: "echo" }, {}, async ({ connection }) => {
        for (const size of SIZES) {
          const bytes = new Uint8Array(randomBytes(size));
          await connection.send(bytes);
          const answer = await connection.recv(RECEIVE);
          assert.ok(typeof answer !== "string" && Buffer.compare(answer, bytes) === 0, `${size} bytes`);
        }
      });
    },
  );
}

export function testFragments({ name, row, pool, skip }: TestedPeer, role: PeerRole): void {
  const options = { skip, timeout: LIMIT };
  const cell = { row, position: role, column: "fragments" } as const;
  const title = `E1: ${titleOf(role, name)}: their fragments become whole messages (RFC 6455 section 5.4)`;
  testCell(cell, title, options, async () => {
    await withPair(await pool.get(role), { do: "fragments" }, {}, async ({ connection }) => {
      const messages = [await connection.recv(RECEIVE), await connection.recv(RECEIVE)];
      assert.deepEqual(messages, ["Grüße, 世界", Uint8Array.of(0, 1, 2)]);
    });
  });
  testOurFragments({ name, row, pool, skip }, role);
}

/** For peers that receive fragments, whether or not they can send some. */
export function testOurFragments({ name, row, pool, skip }: TestedPeer, role: PeerRole): void {
  const options = { skip, timeout: LIMIT };
  const cell = { row, position: role, column: "fragments" } as const;
  const title = `E6: ${titleOf(role, name)}: our fragments become whole messages, pings between them or not`;
  testCell(cell, title, options, async () => {
    await withPair(await pool.get(role), { do: "echo" }, {}, async ({ connection }) => {
      await connection.send(["Grü", "ße, ", "", "世界"]);
      const sending = connection.send(slowly([Uint8Array.of(0, 1), Uint8Array.of(), Uint8Array.of(2)]));
      await Promise.all([connection.ping(), connection.ping(), sending]);
      const messages = [await connection.recv(RECEIVE), await connection.recv(RECEIVE)];
      assert.deepEqual(messages, ["Grüße, 世界", Uint8Array.of(0, 1, 2)]);
    });
  });
}

/** Yields one item per turn of the event loop. */
async function* slowly<Item>(items: readonly Item[]): AsyncIterable<Item> {
  for (const item of items) {
    await new Promise((resolve) => setImmediate(resolve));
    yield item;
  }
}

export function testPings(peer: TestedPeer, role: PeerRole): void {
  testOurPings(peer, role);
  const { name, row, pool, skip } = peer;
  const cell = { row, position: role, column: "their pings" } as const;
  const title = `C13: ${titleOf(role, name)}: their ping is answered, and they measure it`;
  testCell(cell, title, { skip, timeout: LIMIT }, async () => {
    await withPair(await pool.get(role), { do: "ping" }, {}, async ({ report }) => {
      assertPlausible((await report("pong")).latency);
    });
  });
}

export function testOurPings({ name, row, pool, skip }: TestedPeer, role: PeerRole): void {
  const cell = { row, position: role, column: "our pings, latency" } as const;
  const title = `C3: ${titleOf(role, name)}: our ping is answered, and its time is the latency`;
  testCell(cell, title, { skip, timeout: LIMIT }, async () => {
    await withPair(await pool.get(role), { do: "echo" }, { pingInterval: null }, async ({ connection }) => {
      const roundTrip = await connection.ping("are you there?");
      assertPlausible(roundTrip);
      assert.equal(connection.latency, roundTrip);
      const { sent, answered, lost } = connection.latencyStats;
      assert.deepEqual({ sent, answered, lost }, { sent: 1, answered: 1, lost: 0 });
    });
  });
}

export interface CloseHabits {
  /** The codes that the peer can close with. @default all */
  readonly theirCodes?: readonly number[];
  /** Whether its answer to our Close repeats our reason. RFC 6455 requires only the code. @default true */
  readonly echoesReason?: boolean;
}

export function testCloses(
  { name, row, pool, skip }: TestedPeer,
  role: PeerRole,
  { theirCodes = CLOSES.map(({ code }) => code), echoesReason = true }: CloseHabits = {},
): void {
  const cell = { row, position: role, column: "close codes" } as const;
  for (const { code, reason, name: codeName } of CLOSES) {
    const frame = { code, reason };
    const says = reason === "" ? `${code} (${codeName})` : `${code} (${codeName}) ${reason}`;
    const answer = echoesReason ? frame : { code, reason: "" };
    const answerSays = echoesReason ? says : `${code} (${codeName})`;
    const shared = { sent: frame, clean: true, ok: code <= 1001 };
    const options = { skip, timeout: LIMIT };

    testCell(
      cell,
      `D1: ${titleOf(role, name)}: we close with ${code}, and both ends report it`,
      options,
      async () => {
        await withPair(await pool.get(role), { do: "echo" }, {}, async ({ connection, report }) => {
          assert.deepEqual(essenceOf(await connection.close(code, reason)), {
            ...shared,
            ...answer,
            received: answer,
            receivedFirst: false,
            initiator: "local",
            cause: "local-close",
            message: `sent ${says}; then received ${answerSays}`,
          });
          assert.deepEqual((await report("closed")).received, frame);
        });
      },
    );

    if (!theirCodes.includes(code)) continue;
    testCell(
      cell,
      `D1: ${titleOf(role, name)}: they close with ${code}, and both ends report it`,
      options,
      async () => {
        // Without our pings: a ping that reaches trio-websocket while it closes crashes its whole server.
        const silent = { pingInterval: null };
        await withPair(
          await pool.get(role),
          { do: "close", ...frame },
          silent,
          async ({ connection, report }) => {
            assert.deepEqual(essenceOf(await connection.closed), {
              ...shared,
              ...frame,
              received: frame,
              receivedFirst: true,
              initiator: "peer",
              cause: "peer-close",
              message: `received ${says}; then sent ${says}`,
            });
            assert.deepEqual((await report("closed")).received, frame);
          },
        );
      },
    );
  }
}

export interface Variant {
  /** The settings of the peer, and our options. */
  readonly settings?: PeerSettings;
  readonly options: PairOptions;
}

/** Both ends use TLS, or compression: similar messages are echoed. */
export function testVariant(
  { name, row, pool, skip }: TestedPeer,
  role: PeerRole,
  column: Extract<Column, "TLS" | "compression">,
  variant: () => Promise<Variant>,
): void {
  const id = column === "TLS" ? "B8" : "E8";
  const title = `${id}: ${titleOf(role, name)}: messages come back (${column})`;
  testCell({ row, position: role, column }, title, { skip, timeout: LIMIT }, async () => {
    const { settings, options } = await variant();
    await withPair(await pool.get(role, settings), { do: "echo" }, options, async ({ connection }) => {
      if (column === "compression") assert.match(String(connection.extensions), /^permessage-deflate/);
      assert.equal(connection.url.startsWith("wss:"), column === "TLS");
      for (const message of ALIKE) void connection.send(message);
      for (const message of ALIKE) assert.equal(await connection.recv(RECEIVE), message);
      assert.equal((await connection.close()).clean, true);
    });
  });
}

/** Each end has its part of the certificates. */
export async function secured(role: PeerRole): Promise<Variant> {
  const { server, ca } = await testCertificates();
  return { settings: { tls: role === "server" ? server : { ca } }, options: { isSecure: true } };
}

/** Similar messages, as applications send them; one is large, and one is empty. */
export const ALIKE: readonly string[] = Array.from(Array(20).keys(), (index) => {
  const rows = index === 10 ? 6000 : index % 4;
  if (rows === 0) return "";
  return JSON.stringify(Array.from(Array(rows).keys(), (id) => ({ id, name: `Größe ${(id * 7919) % 101}` })));
});

/** The latency is plausible for a round trip on this machine, with a tolerance for a busy one. */
function assertPlausible(latency: number): void {
  assert.ok(latency > 0 && latency < 20_000, `${latency} ms`);
}
