// Sessions on bad networks, and with peers that try what is rare: two sockets at the same moment, ends in the middle of a
// replay, limits at their edges.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import {
  memoryStore,
  serve,
  SessionLostError,
  type CloseInfo,
  type Connection,
  type ServeOptions,
  type Server,
} from "../../build/index.js";
import { eventually, frame, OPCODE } from "holdfast-testkit";
import { SessionPeer, type Ticket } from "../server/sessions/session-peer.js";
import { assertServes, echo } from "./servers.js";

const SPREAD = "^spread 100";
const TEXTS = Array.from({ length: 8 }, (_, index) => String(index).repeat(20_000));

interface Scene {
  readonly server: Server;
  readonly peer: SessionPeer;
  readonly ticket: Ticket;
  readonly connection: Connection;
}

async function withSession(
  options: ServeOptions,
  use: (scene: Scene) => Promise<void>,
  handler: (connection: Connection) => unknown = echo,
): Promise<void> {
  const connections: Connection[] = [];
  const server = await serve(
    (connection) => {
      connections.push(connection);
      return handler(connection);
    },
    { host: "127.0.0.1", pingInterval: null, sessions: true, logger: null, ...options },
  );
  try {
    const peer = await SessionPeer.connect(server.port);
    const ticket = await peer.open();
    await peer.expect(SPREAD);
    await use({ server, peer, ticket, connection: connections[0] });
    await assertServes(server);
  } finally {
    await server.close({ timeout: 0 });
  }
}

async function detach({ peer, connection }: Scene): Promise<void> {
  peer.cut();
  await eventually(() => connection.session?.isAttached === false, "the end of the socket");
}

/** Detaches the session, sends what does not fit into one write, and resumes it. Returns the socket and the first message. */
async function replayBegun(scene: Scene): Promise<SessionPeer> {
  await detach(scene);
  for (const text of TEXTS) await scene.connection.send(text);
  const second = await SessionPeer.connect(scene.server.port);
  second.resume(scene.ticket, 0, 1);
  await second.expect("^resumed 0", SPREAD, "^replay 8", TEXTS[0] ?? "");
  return second;
}

test("L4: of two sockets that resume in the same moment, one gets moved, and the other goes on", () =>
  withSession({}, async (scene) => {
    await detach(scene);
    const sockets = await Promise.all([0, 1].map(() => SessionPeer.connect(scene.server.port)));
    for (const each of sockets) each.resume(scene.ticket, 0, 1);
    const ends = sockets.map(async (each) => {
      for (;;) {
        const text = await each.next();
        if (text === "a" || text.startsWith("close")) return text;
      }
    });
    const isFirstMoved = await Promise.race(
      ends.map(async (end, index) => (await end) !== "a" && index === 0),
    );
    sockets[isFirstMoved ? 1 : 0]?.send("a");
    assert.deepEqual((await Promise.all(ends)).sort(), ["a", "close 1008 moved"]);
    assert.equal(scene.connection.session?.position, 1);
    for (const each of sockets) await each.close();
  }));

test("L2: the window is a limit at exactly its size: that many messages wait for an absent client, and one more ends it", () =>
  withSession({}, async (scene) => {
    const { connection, server, ticket } = scene;
    await detach(scene);
    for (let count = 1; count <= 1024; count++) void connection.send(String(count));
    const second = await SessionPeer.connect(server.port);
    second.resume(ticket, 0, 1);
    await second.expect("^resumed 0", SPREAD, `^replay ${(1024).toString(36)}`);
    for (let count = 1; count <= 1024; count++) await second.expect(String(count));
    await second.expect("^want");
    second.word(`ack ${(1024).toString(36)}`);
    second.send("a");
    await second.expect("a");
    second.cut();
    await eventually(() => connection.session?.isAttached === false, "the end of the socket");
    const sent = Promise.allSettled(Array.from({ length: 1024 }, () => connection.send("b")));
    const { error } = await connection.closed;
    assert.ok(error instanceof SessionLostError);
    assert.equal(error.reason, "overflow");
    assert.equal((await sent).at(-1)?.status, "rejected", "`a` is not confirmed, and takes a place");
  }));

test("L2: during a replay, an ack of a message that was not sent again yet fails the socket with 1002", () =>
  withSession({ writeLimit: 1024 }, async (scene) => {
    const second = await replayBegun(scene);
    second.word("ack 9");
    for (;;) {
      const text = await second.next();
      if (!text.startsWith("close")) continue;
      assert.match(text, /^close 1002 /);
      break;
    }
    await second.close();
  }));

test("L3: a Close with 1000 in the middle of a replay ends the session; one with 1001 leaves it", async () => {
  for (const code of [1000, 1001]) {
    await withSession({ writeLimit: 1024 }, async (scene) => {
      const second = await replayBegun(scene);
      second.raw.write(
        frame({
          opcode: OPCODE.close,
          payload: Uint8Array.of(code >> 8, code & 255),
          mask: Uint8Array.of(1, 2, 3, 4),
        }),
      );
      let text = "";
      while (!text.startsWith("close")) text = await second.next();
      assert.equal(text, `close ${code} `);
      await second.close();
      const third = await SessionPeer.connect(scene.server.port);
      if (code === 1000) {
        const { answer } = await third.open(`resume ${scene.ticket.id} ${scene.ticket.secret} 1 1`);
        assert.equal(answer, "lost unknown");
        assert.equal((await scene.connection.closed).code, 1000);
      } else {
        third.resume(scene.ticket, 1, 1);
        await third.expect("^resumed 0", SPREAD, "^replay 7", ...TEXTS.slice(1));
      }
      await third.close();
    });
  }
});

test("L3: a handler that fails in the middle of a replay ends the session, and each of its sends has an outcome", async () => {
  let fail: (error: Error) => void = () => undefined;
  let handled = 0;
  const failing = new Promise((_, reject) => (fail = reject));
  await withSession(
    { writeLimit: 1024 },
    async (scene) => {
      const second = await replayBegun(scene);
      const outcomes = Promise.allSettled(
        ["a", "b"].map((text) => scene.connection.send(text, { until: "delivered" })),
      );
      fail(new Error("no database"));
      let text = "";
      while (!text.startsWith("close")) text = await second.next();
      assert.equal(text, "close 1011 ");
      await second.close();
      const info: CloseInfo = await scene.connection.closed;
      assert.equal(info.cause, "handler-failed");
      for (const outcome of await outcomes) assert.equal(outcome.status, "rejected");
    },
    (connection) => {
      if (++handled > 1) return echo(connection);
      void connection.forEach(() => undefined);
      return failing;
    },
  );
});

test("L6: a clock that is set forward by a day loses no session, and expiry goes on", (t) =>
  withSession({ sessions: { retain: 60_000, maxLifetime: null } }, async (scene) => {
    await detach(scene);
    const { now } = Date;
    t.mock.method(Date, "now", () => now() + 86_400_000);
    const second = await SessionPeer.connect(scene.server.port);
    second.resume(scene.ticket, 0, 1);
    await second.expect("^resumed 0", SPREAD, "^replay 0");
    await second.close();
  }));

test("L6: if the memory is full in the middle of a replay, detached sessions are dropped, and the replay goes on", () =>
  withSession({ writeLimit: 1024, sessions: { memory: 250_000 } }, async (scene) => {
    const { server, connection } = scene;
    const other = await SessionPeer.connect(server.port);
    const lost = await other.open();
    other.send("kept");
    await other.expect(SPREAD, "kept");
    other.cut();
    await eventually(() => server.sessions?.detached === 1, "the end of the other socket");
    const second = await replayBegun(scene);
    const more = "m".repeat(100_000);
    void connection.send(more);
    await eventually(() => server.sessions?.detached === 0, "the other session to be dropped");
    const heard: string[] = [];
    while (heard.at(-1) !== more) heard.push(await second.next());
    assert.ok(
      isDeepStrictEqual(
        heard.filter((text) => !text.startsWith("^")),
        [...TEXTS.slice(1), more],
      ),
    );
    const third = await SessionPeer.connect(server.port);
    assert.equal((await third.open(`resume ${lost.id} ${lost.secret} 1 2`)).answer, "lost evicted");
    for (const each of [second, third]) await each.close();
  }));

test("L4: two sockets that resume while the store does not answer are served once it does: one moves the other", async () => {
  const store = memoryStore();
  const options = { host: "127.0.0.1", pingInterval: null, logger: null } as const;
  const before = await serve(echo, { ...options, sessions: { durability: "shutdown", store } });
  const peer = await SessionPeer.connect(before.port);
  const ticket = await peer.open();
  peer.cut();
  await before.close({ timeout: 0 });
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const claims: string[] = [];
  const slow = {
    ...{ save: store.save.bind(store), append: store.append.bind(store) },
    ...{ remove: store.remove.bind(store), sweep: store.sweep.bind(store) },
    claim: async (...args: Parameters<typeof store.claim>) => {
      claims.push(args[0]);
      await answered;
      return store.claim(...args);
    },
  };
  const server = await serve(echo, { ...options, sessions: { durability: "shutdown", store: slow } });
  try {
    const first = await SessionPeer.connect(server.port);
    first.resume(ticket, 0, 1);
    await eventually(() => claims.length === 1, "the claim");
    const second = await SessionPeer.connect(server.port);
    second.resume(ticket, 0, 1);
    const third = await SessionPeer.connect(server.port);
    await third.open(); // New sessions do not wait for it.
    answer();
    await first.expect("^resumed 0", SPREAD, "^replay 0", "^moved", "close 1008 moved");
    await second.expect("^resumed 0", SPREAD, "^replay 0");
    second.send("a");
    await second.expect("a");
    assert.equal(claims.length, 1);
    for (const each of [first, second, third]) await each.close();
  } finally {
    await server.close({ timeout: 0 });
  }
});
