// Tests of Holdfast with Holdfast on another runtime as its peer.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { connect, InvalidStatusError } from "holdfast";
import { RawServer, withTimeout } from "holdfast-testkit";
import { testCell } from "../matrix/test-cell.js";
import { scriptPath, withPair } from "../peers/pair.js";
import type { PeerRole } from "../peers/peer.js";
import { essenceOf, LIMIT, type TestedPeer, titleOf, type Variant } from "./common-tests.js";

const COMPRESSION = { compression: { threshold: 0 } };

export async function compressed(): Promise<Variant> {
  return { settings: { options: COMPRESSION }, options: COMPRESSION };
}

/** We stop answering pings, and the peer detects it. */
export function testTheirVerdict({ name, row, pool, skip }: TestedPeer, role: PeerRole): void {
  const cell = { row, position: role, column: "their verdict" } as const;
  const title = `C5 C6: ${titleOf(role, name)}: we stop answering pings, and their verdict comes`;
  testCell(cell, title, { skip, timeout: LIMIT }, async () => {
    const theirs = await pool.get(role, { options: { pingInterval: 200, pingTimeout: 400 } });
    await withPair(theirs, { do: "echo" }, { autoPong: false }, async ({ connection, report }) => {
      const info = await withTimeout(connection.closed, 30_000, "their verdict");
      const frame = { code: 1011, reason: "keepalive ping timeout" };
      const says = "1011 (internal error) keepalive ping timeout";
      assert.deepEqual(essenceOf(info), {
        ...frame,
        received: frame,
        sent: frame,
        receivedFirst: true,
        clean: true,
        ok: false,
        initiator: "peer",
        cause: "peer-close",
        message: `received ${says}; then sent ${says}`,
      });
      const { received, sent } = await report("closed");
      assert.deepEqual({ received, sent }, { received: null, sent: frame });
    });
  });
}

export function testRefusal({ name, row, pool, skip }: TestedPeer, role: PeerRole): void {
  const cell = { row, position: role, column: "refusal" } as const;
  const title = `B4: ${titleOf(role, name)}: a refusal arrives with its status`;
  testCell(cell, title, { skip, timeout: LIMIT }, async () => {
    const theirs = await pool.get(role, {});
    if (role === "server") {
      // A page of another origin: by default, servers accept only their own.
      const refused = connect(theirs.url, { origin: "https://elsewhere.test" });
      await assert.rejects(refused, (error) => error instanceof InvalidStatusError && error.status === 403);
      return;
    }
    await using server = await RawServer.start({ timeout: LIMIT }, async (peer) => {
      await peer.readHead();
      peer.respond(429, { body: "Later, please." });
    });
    const { id, path } = scriptPath({ do: "echo" });
    theirs.connect(server.url(path));
    const { status, says } = await theirs.report("failed", id);
    assert.equal(status, 429, says);
  });
}

export function testAbort({ name, row, pool, skip }: TestedPeer, role: PeerRole): void {
  const cell = { row, position: role, column: "abort" } as const;
  if (role === "server") {
    const title = `D6: ${titleOf(role, name)}: we go without a Close, and they say so`;
    testCell(cell, title, { skip, timeout: LIMIT }, async () => {
      await withPair(await pool.get(role, {}), { do: "echo" }, {}, async ({ connection, report }) => {
        await connection.ping();
        connection.terminate();
        const { says, received, sent } = await report("closed");
        const nothing = "no close frame received or sent";
        assert.deepEqual({ says, received, sent }, { says: nothing, received: null, sent: null });
      });
    });
    return;
  }
  const title = `B1: ${titleOf(role, name)}: their connecting to a mute server is aborted, and the socket ends`;
  testCell(cell, title, { skip, timeout: LIMIT }, async () => {
    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    try {
      const connected = once(mute, "connection") as Promise<[Socket]>;
      const { id, path } = scriptPath({ do: "abort" });
      const theirs = await pool.get(role, {});
      theirs.connect(`ws://127.0.0.1:${(mute.address() as AddressInfo).port}${path}`);
      const [socket] = await withTimeout(connected, 30_000, "them to connect");
      const ended = once(
        socket.resume().on("error", () => undefined),
        "close",
      );
      assert.match((await theirs.report("failed", id)).says, /^TimeoutError/);
      await withTimeout(ended, 30_000, "their socket to end");
    } finally {
      mute.close();
    }
  });
}
