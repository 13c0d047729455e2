// One client whose connections reach two servers with one store in turn, as behind a balancer.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  EngineUnavailableError,
  fileStore,
  memoryStore,
  NotSentError,
  serve,
  type Connection,
  type Server,
  type SessionStore,
} from "../../../build/index.js";
import { eventually, FakeClock } from "holdfast-testkit";
import { SessionPeer } from "./session-peer.js";
import { storeWith } from "./store-with.js";

interface Host {
  readonly server: Server;
  readonly connections: Connection[];
  readonly losses: string[];
}

async function host(
  store: SessionStore,
  durability: "message" | "shutdown" = "message",
  retain = 120_000,
): Promise<Host> {
  const connections: Connection[] = [];
  const losses: string[] = [];
  const handle = (connection: Connection): Promise<unknown> => {
    connections.push(connection);
    connection.on("lost", ({ reason, unsent, unknown }) => losses.push(`${reason} ${unsent} ${unknown}`));
    return connection.forEach((message) => connection.send(`re:${String(message)}`));
  };
  const server = await serve(handle, {
    ...{ host: "127.0.0.1", pingInterval: null, closeTimeout: 200, logger: null },
    sessions: { store, durability, retain },
  });
  return { server, connections, losses };
}

/** Stores for two servers. */
async function storesOf(
  t: TestContext,
  kind: "file" | "memory",
): Promise<readonly [SessionStore, SessionStore]> {
  if (kind === "memory") {
    const store = memoryStore();
    return [store, store];
  }
  const directory = await mkdtemp(join(tmpdir(), "holdfast-moved-"));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return [fileStore({ directory }), fileStore({ directory })];
}

const SPREAD = "^spread 100";

for (const kind of ["memory", "file"] as const) {
  for (const meanwhile of ["nothing", "a send at the first server", "the second server closes"]) {
    test(`L7: a client that returns to a server which had its session before loses nothing: ${meanwhile} (${kind})`, async (t) => {
      const [storeOfA, storeOfB] = await storesOf(t, kind);
      const a = await host(storeOfA);
      const b = await host(storeOfB);
      const first = await SessionPeer.connect(a.server.port);
      const ticket = await first.open();
      first.send("a");
      await first.expect(SPREAD, "re:a");
      first.cut();
      const second = await SessionPeer.connect(b.server.port);
      second.resume(ticket, 1, 1);
      await second.expect("^resumed 1", SPREAD, "^replay 0");
      second.send("b");
      await second.expect("re:b");
      if (meanwhile === "a send at the first server") {
        await eventually(() => a.connections[0]?.session?.isAttached === false, "the first server to notice");
        void a.connections[0]?.send("late");
        await eventually(() => a.losses.length === 1, "the first server to learn of the second");
      }
      if (meanwhile === "the second server closes") await b.server.close();
      else second.cut();
      const third = await SessionPeer.connect(a.server.port);
      third.resume(ticket, 2, 2);
      await third.expect("^resumed 2", SPREAD, "^replay 0");
      third.send("c");
      await third.expect("re:c");
      assert.equal(a.losses.length, 1);
      assert.match(a.losses[0] ?? "", /^moved/);
      assert.equal(a.connections.length, 2);
      await third.close();
      await a.server.close({ timeout: 0 });
      await b.server.close({ timeout: 0 });
    });
  }
}

for (const durability of ["message", "shutdown"] as const) {
  for (const failing of ["claim", "remove"] as const) {
    if (durability === "message" && failing === "remove") continue; // The session stays in the store.
    test(`L7 M8: a client that reaches another server while the store is down keeps its session (${durability}, ${failing})`, async () => {
      const store = memoryStore();
      const a = await host(store, durability);
      const first = await SessionPeer.connect(a.server.port);
      const ticket = await first.open();
      first.send("a");
      await first.expect(SPREAD, "re:a");
      first.cut();
      await eventually(() => a.connections[0]?.session?.isAttached === false, "the first server to notice");
      if (durability === "shutdown") await a.server.close();
      let failures = 2;
      const failTwice = (): void => {
        if (failures-- > 0) throw new EngineUnavailableError("down", "unsent");
      };
      const changes: Pick<SessionStore, "claim" | "remove"> = {
        claim: async (id, proof, now) => {
          if (failing === "claim") failTwice();
          return await store.claim(id, proof, now);
        },
        remove: async (id, generation, loss, until) => {
          if (failing === "remove") failTwice();
          await store.remove(id, generation, loss, until);
        },
      };
      const b = await host(storeWith(changes, store), durability);
      for (const _ of [1, 2]) {
        const refused = await SessionPeer.connect(b.server.port);
        refused.resume(ticket, 1, 1);
        await refused.expect("close 1013 no session now");
        await refused.close();
      }
      const second = await SessionPeer.connect(b.server.port);
      second.resume(ticket, 1, 1);
      await second.expect("^resumed 1", SPREAD, "^replay 0");
      second.send("b");
      await second.expect("re:b");
      await second.close();
      await a.server.close({ timeout: 0 });
      await b.server.close({ timeout: 0 });
    });
  }
}

test("L5, L7: a message that another server may have sent is reported unknown, a later one unsent", async () => {
  const store = memoryStore();
  let stored = 0;
  const append: SessionStore["append"] = async (id, generation, changes) => {
    await store.append(id, generation, changes);
    stored += changes.filter(({ type }) => type === "sent").length;
  };
  const a = await host(storeWith({ append }, store));
  const b = await host(store);
  const first = await SessionPeer.connect(a.server.port);
  const ticket = await first.open();
  first.cut();
  const [connection] = a.connections;
  assert.ok(connection);
  await eventually(() => connection.session?.isAttached === false, "the first server to notice");
  const outcomes: unknown[] = [];
  const send = (text: string): void =>
    void connection.send(text, { until: "delivered" }).catch((error: unknown) => {
      assert(error instanceof NotSentError);
      outcomes.push(text, error.outcome);
    });
  send("pay");
  await eventually(() => stored === 1, "the store to have it");
  const second = await SessionPeer.connect(b.server.port);
  second.resume(ticket, 0, 1);
  await second.expect("^resumed 0", SPREAD, "^replay 1", "pay");
  send("later");
  await eventually(() => outcomes.length === 4, "both sends to be rejected");
  assert.deepEqual(outcomes, ["pay", "unknown", "later", "unsent"]);
  assert.deepEqual(a.losses, ["moved 1 1"]);
  await second.close();
  await a.server.close({ timeout: 0 });
  await b.server.close({ timeout: 0 });
});

/** A client that has moved from one server to another, under a fake clock. */
async function move(
  retain: number,
  use: (scene: { clock: FakeClock; a: Host; b: Host; fail: (error: Error) => void }) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock();
  const restore = clock.install();
  try {
    const store = memoryStore();
    let failure: Error | null = null;
    const unlessDown = (write: () => Promise<void>): Promise<void> =>
      failure === null ? write() : Promise.reject(failure);
    const writes: Pick<SessionStore, "append" | "save"> = {
      append: (...change) => unlessDown(() => store.append(...change)),
      save: (record) => unlessDown(() => store.save(record)),
    };
    const a = await host(storeWith(writes, store), "message", retain);
    const b = await host(store, "message", retain);
    const first = await SessionPeer.connect(a.server.port);
    const ticket = await first.open();
    await first.expect(SPREAD);
    first.cut();
    await eventually(() => a.connections[0]?.session?.isAttached === false, "the first server to notice");
    await clock.advanceAsync(100); // The store learns of it.
    const second = await SessionPeer.connect(b.server.port);
    second.resume(ticket, 0, 1);
    await second.expect("^resumed 0", SPREAD, "^replay 0");
    await use({ clock, a, b, fail: (error) => (failure = error) });
    await second.close();
    await a.server.close({ timeout: 0 });
    await b.server.close({ timeout: 0 });
  } finally {
    restore();
  }
}

test("L7: a server notices within seconds that the client of a detached session has moved to another one", () =>
  move(120_000, async ({ clock, a, b }) => {
    await clock.advanceAsync(1_000);
    assert.deepEqual(a.losses, []);
    await clock.advanceAsync(1_000);
    await eventually(() => a.losses.length > 0, "the end of the session at the first server");
    assert.deepEqual([a.losses, b.losses], [["moved 0 0"], []]);
    assert.deepEqual([a.server.sessions?.detached, b.server.sessions?.attached], [0, 1]);
  }));

test("L7: a session that has moved does not expire where it was before", () =>
  move(1_500, async ({ clock, a, b }) => {
    await clock.advanceAsync(1_500);
    await eventually(() => a.losses.length > 0, "the end of the session at the first server");
    assert.deepEqual([a.losses, b.losses], [["moved 0 0"], []]);
  }));

test("L7 M8: a store that is down neither ends a detached session early nor keeps it from expiring", () =>
  move(120_000, async ({ clock, a, fail }) => {
    fail(new EngineUnavailableError("down", "unsent"));
    await clock.advanceAsync(119_000);
    assert.deepEqual(a.losses, []);
    await clock.advanceAsync(12_000);
    await eventually(() => a.losses.length > 0, "the end of the session");
    assert.deepEqual(a.losses, ["expired 0 0"]);
  }));

test("L7: sockets that resume a session at once, where it was claimed elsewhere, claim it once", async () => {
  const store = memoryStore();
  const claims: string[] = [];
  const claim: SessionStore["claim"] = (id, proof, now) => {
    claims.push(id);
    return store.claim(id, proof, now);
  };
  const a = await host(storeWith({ claim }, store));
  const b = await host(store);
  const first = await SessionPeer.connect(a.server.port);
  const ticket = await first.open();
  first.cut();
  const second = await SessionPeer.connect(b.server.port);
  second.resume(ticket, 0, 1);
  await second.expect("^resumed 0", SPREAD, "^replay 0");
  second.cut();
  const peers = await Promise.all([1, 2, 3].map(() => SessionPeer.connect(a.server.port)));
  for (const peer of peers) peer.resume(ticket, 0, 1);
  await eventually(() => a.connections.length === 2, "the session to continue");
  const answers = await Promise.all(peers.map((peer) => peer.next()));
  assert.deepEqual(answers, ["^resumed 0", "^resumed 0", "^resumed 0"]);
  assert.equal(claims.length, 1);
  assert.equal(a.connections.length, 2);
  await a.server.close({ timeout: 0 });
  await b.server.close({ timeout: 0 });
});
