import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HoldfastError,
  memoryStore,
  NotSentError,
  serve,
  SessionLostError,
  TextBytes,
  type Connection,
  type ServerSessionOptions,
  type Server,
  type SessionRecord,
  type SessionStore,
} from "../../../build/index.js";
import { connectPersistent, type SessionChange } from "../../../build/index.js";
import { checkSessions } from "../../../build/server/sessions/session-options.js";
import { eventually, withTimeout } from "holdfast-testkit";
import { SessionPeer } from "./session-peer.js";
import { storeWith } from "./store-with.js";

function start(
  sessions: ServerSessionOptions,
  handler: (connection: Connection) => unknown = echo,
): Promise<Server> {
  return serve(handler, { host: "127.0.0.1", pingInterval: null, closeTimeout: 200, logger: null, sessions });
}

function echo(connection: Connection): Promise<unknown> {
  return connection.forEach((message) => connection.send(`re:${String(message)}`));
}

const SPREAD = "^spread 100";

for (const durability of ["shutdown", "message"] as const) {
  test(`L7: a closing server hands what is unread and unconfirmed to its successor (${durability})`, async () => {
    const store = memoryStore();
    const seen: string[] = [];
    let finish = (): void => undefined;
    const first = await start({ durability, store }, (connection) =>
      connection.forEach(async (message) => {
        seen.push(`1 ${String(message)}`);
        if (message === "b") await new Promise<void>((resolve) => (finish = resolve));
        await connection.send(`re:${String(message)}`);
      }),
    );
    const peer = await SessionPeer.connect(first.port);
    const ticket = await peer.open();
    for (const text of ["a", "b", "c", "d"]) peer.send(text);
    await peer.expect(SPREAD, "re:a");
    await eventually(() => seen.length === 2, "the second message");
    const closing = first.close();
    setImmediate(() => finish()); // It may finish, and answer; the rest belongs to the successor.
    await closing;
    const positions: unknown[] = [];
    const second = await start({ durability, store }, (connection) => {
      positions.push(connection.session?.position);
      return connection.forEach((message) => {
        seen.push(`2 ${String(message)} ${connection.session?.position ?? ""}`);
        return connection.send(`re:${String(message)}`);
      });
    });
    const later = await SessionPeer.connect(second.port);
    later.resume(ticket, 1, 1);
    await later.expect("^resumed 4", SPREAD, "^replay 1", "re:b", "re:c", "re:d");
    assert.deepEqual(seen, ["1 a", "1 b", "2 c 3", "2 d 4"]);
    assert.deepEqual(positions, [2]);
    await peer.close();
    await later.close();
    await second.close({ timeout: 0 });
  });

  test(`L7: unread text stays text at the successor if the servers take it as bytes (${durability})`, async () => {
    const sessions = { durability, store: memoryStore() };
    const options = { host: "127.0.0.1", sessions, text: "bytes" } as const;
    const first = await serve((connection) => connection.closed, options);
    let { url } = first;
    const client = connectPersistent(() => url, { session: true, minDelay: 0, firstDelay: 5, maxDelay: 50 });
    const sent = ["", "x", new Uint8Array()];
    for (const message of sent) await client.send(message, { until: "delivered" });
    const seen: unknown[] = [];
    const second = await serve((connection) => connection.forEach((message) => seen.push(message)), options);
    url = second.url;
    await first.close();
    await eventually(() => seen.length === sent.length, "the messages at the successor");
    assert.deepEqual(seen, [new TextBytes(), new TextBytes([0x78]), new Uint8Array()]);
    client.terminate();
    await second.close({ timeout: 0 });
  });

  test(`L7: a detached session is handed over too, with what was sent while its client was away (${durability})`, async () => {
    const store = memoryStore();
    const connections: Connection[] = [];
    const first = await start({ durability, store }, (connection) => void connections.push(connection));
    const peer = await SessionPeer.connect(first.port);
    const ticket = await peer.open();
    peer.cut();
    await eventually(() => connections[0]?.session?.isAttached === false, "the session to be detached");
    void connections[0]?.send("while away");
    first.broadcast("to all");
    const closing = first.close();
    await closing;
    assert.equal((await connections[0]?.closed)?.cause, "server-shutdown");
    const second = await start({ durability, store });
    const later = await SessionPeer.connect(second.port);
    later.resume(ticket, 0, 1);
    await later.expect("^resumed 0", SPREAD, "^replay 2", "while away", "to all");
    await later.close();
    await second.close({ timeout: 0 });
  });
}

for (const durability of ["shutdown", "message"] as const) {
  for (const [code, sent] of [
    [1001, 1001],
    [1012, 1012],
    [1000, 1000],
    [1008, 1001],
    [3001, 1001],
    [4000, 1001],
    [4012, 4012],
  ] as const) {
    test(`L3, L7: a server that closes with ${code} leaves its saved sessions to its successor (${durability})`, async () => {
      const store = memoryStore();
      const first = await start({ durability, store });
      const peer = await SessionPeer.connect(first.port);
      await peer.open();
      await peer.expect(SPREAD);
      const ended = [...first.connections].map(({ closed }) => closed);
      const closing = first.close({ code, reason: "restart" });
      await peer.expect(`close ${sent} restart`); // Without `end`, only 1000 ends the session.
      await peer.close();
      await closing;
      for (const info of await Promise.all(ended)) assert.equal(info.cause, "server-shutdown");
    });
  }

  test(`L5, L7: a message that the successor may send is reported unknown (${durability})`, async () => {
    const store = memoryStore();
    const connections: Connection[] = [];
    const first = await start({ durability, store }, (connection) => void connections.push(connection));
    const peer = await SessionPeer.connect(first.port);
    const ticket = await peer.open();
    peer.cut();
    await eventually(() => connections[0]?.session?.isAttached === false, "the session to be detached");
    const sent = connections[0]?.send("order", { until: "delivered" });
    const rejected = assert.rejects(
      Promise.resolve(sent),
      (error) => error instanceof NotSentError && error.outcome === "unknown" && error.reason === "lost",
    );
    await first.close();
    await rejected;
    const second = await start({ durability, store });
    const later = await SessionPeer.connect(second.port);
    later.resume(ticket, 0, 1);
    await later.expect("^resumed 0", SPREAD, "^replay 1", "order");
    await later.close();
    await second.close({ timeout: 0 });
  });
}

test("L7: what is sent after the sessions were saved is rejected as unsent", async () => {
  const connections: Connection[] = [];
  let save = (): void => undefined;
  const store = storeWith({ save: () => new Promise((resolve) => (save = resolve)) });
  const server = await start({ durability: "shutdown", store }, (connection) => {
    connections.push(connection);
    return connection.closed;
  });
  const peer = await SessionPeer.connect(server.port);
  await peer.open();
  const unsaved = save;
  const closing = server.close();
  await eventually(() => save !== unsaved, "the session to be saved");
  for (const send of [connections[0]?.send("late"), connections[0]?.send(["la", "te"])]) {
    await assert.rejects(
      Promise.resolve(send),
      (error) => error instanceof NotSentError && error.outcome === "unsent",
    );
  }
  save();
  await closing;
  await peer.close();
});

test("L7: a session that cannot be saved at shutdown is reported as lost, with the reason store", async () => {
  const store = storeWith({ save: () => Promise.reject(new Error("disk full")) });
  const connections: Connection[] = [];
  const server = await start(
    { durability: "shutdown", store },
    (connection) => void connections.push(connection),
  );
  const [peer, away] = [await SessionPeer.connect(server.port), await SessionPeer.connect(server.port)];
  await peer.open();
  await peer.expect(SPREAD);
  await away.open();
  away.cut();
  await eventually(() => connections[1]?.session?.isAttached === false, "the session to be detached");
  const losses: unknown[] = [];
  for (const [index, connection] of connections.entries())
    connection.on("lost", (event) => (losses[index] = event));
  const sent = connections[1]?.send("order", { until: "delivered" });
  const rejected = assert.rejects(
    Promise.resolve(sent),
    (error) =>
      error instanceof NotSentError && error.reason === "session-lost" && error.outcome === "unknown",
  );
  await server.close();
  await rejected;
  assert.deepEqual(losses, [
    { reason: "store", unsent: 0, unknown: 0 },
    { reason: "store", unsent: 0, unknown: 1 },
  ]);
  for (const { closed } of connections) assert.ok((await closed).error instanceof SessionLostError);
  await peer.expect("close 1012 session lost");
  await peer.close();
});

test("G12: a store that hangs does not keep close() beyond its timeout", async () => {
  const store = storeWith({ save: () => new Promise(() => undefined) });
  const server = await start({ durability: "shutdown", store });
  const peer = await SessionPeer.connect(server.port);
  await peer.open();
  await withTimeout(server.close({ timeout: 200 }), 30_000, "the server to close");
  await peer.close();
});

test("L7: a session that was resumed is not resumed again from what the store had", async () => {
  const store = memoryStore();
  const first = await start({ durability: "shutdown", store });
  const peer = await SessionPeer.connect(first.port);
  const ticket = await peer.open();
  await first.close();
  const second = await start({ durability: "shutdown", store });
  const later = await SessionPeer.connect(second.port);
  later.resume(ticket, 0, 1);
  await later.expect("^resumed 0");
  // As after kill -9 of the second one.
  const third = await start({ durability: "shutdown", store });
  const last = await SessionPeer.connect(third.port);
  assert.equal((await last.open(`resume ${ticket.id} ${ticket.secret} 0 1`)).answer, "lost unknown");
  // But the second one may hand it over in its turn.
  await second.close();
  const again = await SessionPeer.connect(third.port);
  again.resume(ticket, 0, 1);
  await again.expect("^resumed 0");
  for (const each of [peer, later, last, again]) await each.close();
  await third.close({ timeout: 0 });
});

test("L7: with durability message, nothing is sent or confirmed before the store has it", async () => {
  const waiting: (() => void)[] = [];
  const real = memoryStore();
  const records: SessionRecord[] = [];
  let isHolding = false;
  const store = storeWith({
    claim: (id, proof, now) => real.claim(id, proof, now),
    save: async (record) => {
      records.push(record);
      await real.save(record);
    },
    append: async (id, generation, changes) => {
      if (isHolding) await new Promise<void>((resolve) => waiting.push(resolve));
      await real.append(id, generation, changes);
    },
  });
  const server = await start({ durability: "message", store });
  const peer = await SessionPeer.connect(server.port);
  const ticket = await peer.open();
  assert.equal(records.length, 1, "The client learns of a session that the store has.");
  await peer.expect(SPREAD);
  isHolding = true;
  peer.send("a");
  peer.word("want");
  await peer.expect("^ack 0");
  await eventually(() => waiting.length === 1, "the log");
  peer.send("b");
  // As after kill -9: the successor has neither, so the client sends both again.
  const successor = await start({ durability: "message", store: real });
  const later = await SessionPeer.connect(successor.port);
  later.resume(ticket, 0, 1);
  await later.expect("^resumed 0", SPREAD, "^replay 0");
  waiting[0]?.();
  await peer.expect("^moved", "close 1008 moved");
  later.send("a");
  await later.expect("re:a", "^ack 1");
  await peer.close();
  await later.close();
  await server.close({ timeout: 0 });
  await successor.close({ timeout: 0 });
});

const FAILURES: readonly (readonly [what: string, append: () => Promise<void>])[] = [
  ["rejects", () => Promise.reject(new Error("disk full"))],
  [
    "throws",
    () => {
      throw new Error("disk full");
    },
  ],
];

for (const [what, append] of FAILURES) {
  test(`L7: a store that ${what} for longer than retain loses the session with the reason store, and nothing else`, async () => {
    const connections: Connection[] = [];
    let isBroken = false;
    const real = memoryStore();
    const store = storeWith(
      {
        save: (record) => (isBroken ? append() : real.save(record)),
        append: async () => {
          if (isBroken) await append();
        },
      },
      real,
    );
    const server = await start({ durability: "message", store, retain: 300 }, (connection) => {
      connections.push(connection);
      return echo(connection).catch(() => undefined);
    });
    const peer = await SessionPeer.connect(server.port);
    const ticket = await peer.open();
    await peer.expect(SPREAD);
    const lost = new Promise((resolve) => connections[0]?.on("lost", resolve));
    isBroken = true;
    peer.send("a");
    assert.deepEqual(await lost, { reason: "store", unsent: 0, unknown: 1 }); // It may have written before it failed.
    assert.equal(await peer.next(), "close 1012 session lost");
    isBroken = false;
    const later = await SessionPeer.connect(server.port);
    const { answer } = await later.open(`resume ${ticket.id} ${ticket.secret} 0 1`);
    assert.equal(answer, "lost store");
    await later.close();
    await peer.close();
    await server.close({ timeout: 0 });
  });
}

const INVALID: readonly unknown[] = [
  undefined,
  null,
  5,
  {},
  { type: "lost" },
  { type: "lost", reason: "tired", error: null },
  { type: "claimed" },
  { type: "claimed", record: {} },
  { type: "claimed", record: { id: "abcdefghijk-", outgoing: {}, incoming: {} } },
];

test("L7: whatever a store returns for a claim, the client gets a session", async () => {
  let answer: () => unknown = () => null;
  const store = storeWith({ claim: () => Promise.resolve(answer()) as ReturnType<SessionStore["claim"]> });
  const server = await start({ durability: "shutdown", store });
  const answers = INVALID.map((value) => () => value);
  for (const each of [...answers, () => Promise.reject(new HoldfastError("no disk"))]) {
    answer = each;
    const peer = await SessionPeer.connect(server.port);
    assert.equal((await peer.open(`resume abcdefghijk- ${"A".repeat(22)} 0 1`)).answer, "lost store");
    await peer.close();
  }
  await server.close({ timeout: 0 });
});

test("L7: a store that cannot save a new session turns the client away, who tries again", async () => {
  const store = storeWith({ save: () => Promise.reject(new Error("disk full")) });
  const server = await start({ durability: "message", store });
  const peer = await SessionPeer.connect(server.port);
  peer.word("open");
  await peer.expect("close 1013 no session now");
  await peer.close();
  await server.close({ timeout: 0 });
});

test("L4: two sockets that resume one stored session at once: one gets it, the other is moved", async () => {
  const store = memoryStore();
  for (const durability of ["shutdown", "message"] as const) {
    const first = await start({ durability, store });
    const peer = await SessionPeer.connect(first.port);
    const ticket = await peer.open();
    await first.close();
    let handlers = 0;
    const second = await start({ durability, store }, (connection) => {
      handlers++;
      return connection.closed;
    });
    const [one, other] = [await SessionPeer.connect(second.port), await SessionPeer.connect(second.port)];
    one.resume(ticket, 0, 1);
    other.resume(ticket, 0, 1);
    const answers = [await one.next(), await other.next()];
    assert.deepEqual(answers, ["^resumed 0", "^resumed 0"]);
    await one.expect(SPREAD, "^replay 0", "^moved", "close 1008 moved");
    assert.equal(handlers, 1);
    for (const each of [peer, one, other]) await each.close();
    await second.close({ timeout: 0 });
  }
});

test("L7: with durability message, the store keeps a session for 1.5 times retain, and its process renews that", async () => {
  const real = memoryStore();
  const deadlines: number[] = [];
  const note = (deadline: number | null): void => void deadlines.push((deadline ?? Infinity) - Date.now());
  const store = storeWith({
    save: (record) => {
      note(record.deadline);
      return real.save(record);
    },
    append: (id, generation, changes: readonly SessionChange[]) => {
      for (const change of changes) if (change.type === "deadline") note(change.deadline);
      return real.append(id, generation, changes);
    },
  });
  const server = await start({ durability: "message", store, retain: 400 });
  const peer = await SessionPeer.connect(server.port);
  await peer.open();
  // Saved, and renewed while nothing else happened.
  await eventually(() => deadlines.length >= 4, "the renewals");
  for (const each of deadlines) assert.ok(each <= 600, `${each} ms`);
  peer.cut();
  await eventually(() => (deadlines.at(-1) ?? Infinity) <= 400, "the deadline of the detached session");
  await peer.close();
  await server.close({ timeout: 0 });
});

test("L7: with durability message, the store is written to once when a session begins, and once when it is resumed", async () => {
  const real = memoryStore();
  /** The attempts with the deadlines that were written. */
  const attempts: number[] = [];
  const store = storeWith({
    save: (record) => {
      attempts.push(record.attempt);
      return real.save(record);
    },
    append: (id, generation, changes: readonly SessionChange[]) => {
      for (const change of changes) if (change.type === "deadline") attempts.push(change.attempt);
      return real.append(id, generation, changes);
    },
  });
  const server = await start({ durability: "message", store });
  const first = await SessionPeer.connect(server.port);
  const ticket = await first.open();
  first.cut();
  await eventually(() => attempts.length === 2, "the deadline of the detached session");
  const second = await SessionPeer.connect(server.port);
  second.word(`resume ${ticket.id} ${ticket.secret} 0 1 7`);
  await second.expect("^resumed 0", SPREAD, "^replay 0");
  second.send("a");
  await second.expect("re:a"); // A write for the new socket would be over before those of the message.
  assert.deepEqual(attempts, [0, 0, 7]); // Saved; detached; resumed.
  await first.close();
  await second.close();
  await server.close({ timeout: 0 });
});

for (const acknowledge of ["received", "handled"] as const) {
  test(`L7: with durability message, streamed, binary and broadcast messages arrive in order (${acknowledge})`, async () => {
    const store = memoryStore();
    const connections: Connection[] = [];
    const server = await start({ durability: "message", store, acknowledge }, (connection) => {
      connections.push(connection);
      return connection.forEach(async (message) => {
        await connection.send(message);
        await connection.send(["st", "re", "am"]);
        await connection.send(new Uint8Array([1, 2]));
      });
    });
    const client = connectPersistent(server.url, { session: true });
    await client.send("a", { until: "delivered" });
    await client.connection?.send(["b", "c"]);
    const received: unknown[] = [];
    for (let index = 0; index < 6; index++) received.push(await client.recv({ timeout: 30_000 }));
    server.broadcast("to all");
    received.push(await client.recv({ timeout: 30_000 }));
    await connections[0]?.send("confirmed", { until: "delivered" });
    const binary = new Uint8Array([1, 2]);
    assert.deepEqual(
      received.map((each) => (typeof each === "string" ? each : new Uint8Array(each as Uint8Array))),
      ["a", "stream", binary, "bc", "stream", binary, "to all"],
    );
    await client.close();
    await server.close({ timeout: 0 });
  });
}

test("L1: bytes that were broadcast are replayed as they were, whatever becomes of the caller's memory", async () => {
  const server = await start({});
  const peer = await SessionPeer.connect(server.port);
  const ticket = await peer.open();
  await peer.expect(SPREAD);
  const data = Buffer.from("before");
  server.broadcast(data);
  await peer.expect("before");
  data.write("after!");
  const later = await SessionPeer.connect(server.port);
  later.resume(ticket, 0, 1);
  await later.expect("^resumed 0", SPREAD, "^replay 1", "before");
  await peer.close();
  await later.close();
  await server.close({ timeout: 0 });
});

test("L6: over the memory, the session is dropped that has been without a socket for the longest time", async () => {
  const server = await start({ memory: 20_000 });
  const tickets = [];
  for (let index = 0; index < 3; index++) {
    const peer = await SessionPeer.connect(server.port);
    tickets.push(await peer.open());
    peer.send("a");
    await peer.expect(SPREAD, "re:a");
    const { size } = server.connections;
    peer.cut();
    const isDetached = (): boolean =>
      server.connections.size < size ||
      Array.from(server.connections).every(({ session }) => session?.isAttached !== true);
    await eventually(isDetached, "the session to be detached");
  }
  const answers: string[] = [];
  for (const { id, secret } of tickets) {
    const peer = await SessionPeer.connect(server.port);
    peer.word(`resume ${id} ${secret} 0 2`);
    answers.push((await peer.next()).split(" ").slice(0, 2).join(" "));
    await peer.close();
  }
  assert.deepEqual(answers, ["^lost evicted", "^resumed 1", "^resumed 1"]);
  await server.close({ timeout: 0 });
});

test("L7: with a store, each message is saved unless another durability is set; a durability needs a store", async () => {
  const options = { store: memoryStore() };
  assert.equal(checkSessions(options)?.durability, "message");
  assert.equal(checkSessions({ ...options, durability: "process" })?.durability, "process");
  assert.equal(checkSessions(true)?.durability, "process");
  await assert.rejects(start({ durability: "message" }), {
    message: /Expected `sessions.store` to be a store/,
  });
});
