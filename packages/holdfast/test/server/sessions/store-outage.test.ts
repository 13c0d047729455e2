// A store that fails for a while: the sessions that are attached wait for it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, FakeClock, withTimeout } from "holdfast-testkit";
import { fileStore, memoryStore, serve, type Connection, type SessionStore } from "../../../build/index.js";
import { aRecord } from "../../session/store-contract.js";
import { SessionPeer } from "./session-peer.js";
import { storeWith } from "./store-with.js";

interface Outage {
  readonly store: SessionStore;
  readonly begin: () => void;
  readonly end: () => void;
  /** Carries out the writes that were not carried out at their time. */
  readonly carryOutLate: () => Promise<void>;
}

/** The ways in which a store fails. */
const OUTAGES = {
  "is not carried out": () => Promise.reject(new Error("disk full")),
  "is carried out, and fails": async (write) => {
    await write();
    throw new Error("no answer");
  },
  "has no answer": () => new Promise(() => undefined),
  "is carried out later": (write, late) =>
    new Promise<void>((resolve, reject) => late.push(() => write().then(resolve, reject))),
} as const satisfies Record<
  string,
  (write: () => Promise<void>, late: (() => Promise<void>)[]) => Promise<void>
>;

function outage(kind: keyof typeof OUTAGES, real: SessionStore): Outage {
  let hasBegun = false;
  const late: (() => Promise<void>)[] = [];
  const write = (act: () => Promise<void>): Promise<void> => (hasBegun ? OUTAGES[kind](act, late) : act());
  return {
    store: storeWith(
      {
        save: (record) => write(() => real.save(record)),
        append: (...change) => write(() => real.append(...change)),
      },
      real,
    ),
    begin: () => (hasBegun = true),
    end: () => (hasBegun = false),
    carryOutLate: async () => {
      for (const each of late) await each();
    },
  };
}

/** The messages up to this one, without acks. */
async function until(peer: SessionPeer, last: string): Promise<string[]> {
  const texts: string[] = [];
  while (texts.at(-1) !== last) {
    const text = await peer.next();
    if (!text.startsWith("^ack")) texts.push(text);
  }
  return texts;
}

for (const kind of Object.keys(OUTAGES) as (keyof typeof OUTAGES)[]) {
  test(`L7 M8: a session outlives its store, where a write ${kind}: nothing is lost, repeated or out of order`, async () => {
    const clock = new FakeClock();
    const restore = clock.install();
    try {
      const real = memoryStore();
      const { store, begin, end, carryOutLate } = outage(kind, real);
      const connections: Connection[] = [];
      const lines: string[] = [];
      const note = (message: string): void => void lines.push(message);
      const quiet = (): void => undefined;
      const server = await serve(
        (connection) => {
          connections.push(connection);
          return connection.forEach((message) => connection.send(`re:${String(message)}`));
        },
        {
          host: "127.0.0.1",
          pingInterval: null,
          logger: { debug: quiet, info: quiet, warn: note, error: note },
          sessions: { store },
        },
      );
      const peer = await SessionPeer.connect(server.port);
      const ticket = await peer.open();
      await peer.expect("^spread 100");
      begin();
      for (const text of ["a", "b", "c"]) {
        peer.send(text);
        await clock.advanceAsync(15_000);
      }
      peer.word("want");
      await peer.expect("^ack 0"); // Nothing was sent before, and nothing is confirmed.
      assert.deepEqual(lines, ["session store failed, sessions wait"]);
      end();
      await clock.advanceAsync(20_000);
      assert.deepEqual(await until(peer, "re:c"), ["re:a", "re:b", "re:c"]);
      await carryOutLate();
      peer.send("d");
      assert.deepEqual(await until(peer, "re:d"), ["re:d"]);
      assert.deepEqual(lines, ["session store failed, sessions wait", "session store works again"]);
      assert.equal(connections.length, 1);

      // As after kill -9: the successor has all that the client has, and all that the server has confirmed.
      const claim = await real.claim(ticket.id, proofOf(ticket.secret), clock.wallNow());
      assert.equal(claim.type, "claimed");
      assert.deepEqual(claim.record.outgoing.kept, ["re:a", "re:b", "re:c", "re:d"]);
      assert.equal(claim.record.incoming.received, 4);
      assert.deepEqual(claim.record.inbox, []);
      await peer.close();
      await server.close({ timeout: 0 });
    } finally {
      restore();
    }
  });
}

test("L7 G12: a server closes at once while its sessions wait for the store", async () => {
  const { store, begin } = outage("is not carried out", memoryStore());
  const connections: Connection[] = [];
  const server = await serve(
    (connection) => {
      connections.push(connection);
      return connection.forEach((message) => connection.send(message));
    },
    { host: "127.0.0.1", pingInterval: null, closeTimeout: 200, logger: null, sessions: { store } },
  );
  const peer = await SessionPeer.connect(server.port);
  await peer.open();
  begin();
  peer.send("a");
  await eventually(() => connections[0]?.traffic.messagesReceived === 1, "the message");
  await withTimeout(server.close(), 30_000, "the server to close");
  await peer.close();
});

test("L7: a file store that cannot write leaves no temporary file behind", async () => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-outage-"));
  try {
    const store = fileStore({ directory });
    const record = aRecord();
    await store.save(record);
    // A directory in place of the file: it cannot be replaced.
    await rm(join(directory, record.id, "1"));
    await mkdir(join(directory, record.id, "1", "x"), { recursive: true });
    await assert.rejects(store.save(record), /The store of sessions cannot read or write its files/);
    assert.deepEqual(await readdir(join(directory, record.id)), ["1"]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

function proofOf(secret: string): { secretHash: string; owner: null } {
  return { secretHash: createHash("sha256").update(secret).digest("hex"), owner: null };
}
