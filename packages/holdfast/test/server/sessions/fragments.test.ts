// Messages that a server's session sends in fragments: they are counted, but not kept.

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "holdfast-testkit";
import {
  memoryStore,
  NotSentError,
  serve,
  type Connection,
  type ServeOptions,
} from "../../../build/index.js";
import { SessionPeer, type Ticket } from "./session-peer.js";
import { storeWith } from "./store-with.js";

interface Session {
  readonly connection: Connection;
  readonly peer: SessionPeer;
  /** Cuts the socket. */
  readonly cut: () => Promise<void>;
  /** The peer of the next socket. */
  readonly resume: (received: number) => Promise<SessionPeer>;
}

async function withSession(
  sessions: ServeOptions["sessions"],
  use: (session: Session) => Promise<void>,
): Promise<void> {
  const connections: Connection[] = [];
  const server = await serve(
    (connection) => {
      connections.push(connection);
      return connection.closed;
    },
    { host: "127.0.0.1", pingInterval: null, sessions },
  );
  const peers: SessionPeer[] = [];
  const connect = async (): Promise<SessionPeer> => {
    const peer = await SessionPeer.connect(server.port);
    peers.push(peer);
    return peer;
  };
  try {
    const peer = await connect();
    const ticket: Ticket = await peer.open();
    await peer.expect("^spread 100");
    await eventually(() => connections.length === 1, "the session");
    const [connection] = connections;
    await use({
      connection,
      peer,
      cut: async () => {
        peer.cut();
        await eventually(() => connection.session?.isAttached === false, "the end of the socket");
      },
      resume: async (received) => {
        const later = await connect();
        later.resume(ticket, received, 1);
        await later.expect("^resumed 0", "^spread 100");
        return later;
      },
    });
  } finally {
    for (const peer of peers) peer.cut();
    await server.close({ timeout: 0 });
  }
}

/** "sent", or the reason and the outcome of the NotSentError. */
function fateOf(sent: Promise<void>): Promise<string> {
  return sent.then(
    () => "sent",
    (error: unknown) => (error instanceof NotSentError ? `${error.reason} ${error.outcome}` : String(error)),
  );
}

/** A source without an end; `ended` holds true once it was ended. */
function endless(ended: boolean[]): ReadableStream<string> {
  return new ReadableStream<string>({ cancel: () => void ended.push(true) });
}

/** Sends messages until the window, of 1,024, is full. */
async function fill(connection: Connection): Promise<void> {
  for (let count = 0; count < 1024; count++) await connection.send("m");
}

test("L3: without a socket, an iterable is unsent at once, and the messages after it are kept", async () => {
  await withSession(true, async ({ connection, cut, resume }) => {
    await cut();
    const ended: boolean[] = [];
    const fates = [
      fateOf(connection.send(["one ", "two"])),
      fateOf(connection.send("a")),
      fateOf(connection.send(endless(ended))),
      fateOf(connection.send("b")),
    ];
    assert.deepEqual(await Promise.all(fates), ["lost unsent", "sent", "lost unsent", "sent"]);
    assert.deepEqual(ended, [true]);
    const later = await resume(0);
    await later.expect("^replay 2", "a", "b");
    const sent = connection.send(["c", "d"]);
    await later.expect("c", "d", "^want");
    later.word("ack 3");
    await sent;
  });
});

test("L3 L6: an iterable that waits for its source at the cut is unsent, and what follows it overflows", async () => {
  await withSession(true, async ({ connection, peer, cut }) => {
    const losses: string[] = [];
    connection.on("lost", ({ reason }) => losses.push(reason));
    const ended: boolean[] = [];
    async function* pieces(): AsyncGenerator<string> {
      yield "one ";
      yield "two ";
      yield* endless(ended);
    }
    const stream = fateOf(connection.send(pieces()));
    await peer.expect("one ");
    await cut();
    assert.equal(await stream, "lost unsent");
    const unread = fateOf(connection.send(endless(ended)));
    const sends = Array.from({ length: 2000 }, () => connection.send("m"));
    assert.equal(await unread, "lost unsent");
    await Promise.allSettled(sends);
    assert.deepEqual(losses, ["overflow"]);
    assert.deepEqual(ended, [true]);
  });
});

test("L2 L3: an iterable that waits for the window begins once all before it is confirmed", async () => {
  await withSession(true, async ({ connection, peer }) => {
    await fill(connection);
    const stream = connection.send(["one ", "two"]);
    const after = connection.send("after");
    peer.word("ack sg");
    let text = "m";
    while (text === "m" || text === "^want") text = await peer.next();
    assert.equal(text, "one ");
    await peer.expect("two", "^want");
    peer.word("ack sh");
    await Promise.all([stream, after]);
    await peer.expect("after");
    assert.equal(connection.state, "open");
  });
});

test("L3 E5: an abort takes back what waits for the window, whatever it is, and the session goes on", async () => {
  await withSession(true, async ({ connection, peer }) => {
    await fill(connection);
    const aborter = new AbortController();
    const reason = new Error("changed my mind");
    const { signal } = aborter;
    const ended: boolean[] = [];
    const kinds = ["whole", ["one ", "two"], endless(ended), "behind an iterable"];
    const waiting = kinds.map((data) => connection.send(data, { signal }));
    const after = connection.send("after");
    aborter.abort(reason);
    const check = (error: unknown): boolean => {
      assert.ok(error instanceof NotSentError);
      assert.deepEqual([error.reason, error.outcome, error.cause], ["aborted", "unsent", reason]);
      return true;
    };
    for (const sent of [...waiting, connection.send("late", { signal })]) await assert.rejects(sent, check);
    assert.deepEqual(ended, [true]);
    peer.word("ack sg");
    let text = "m";
    while (text === "m" || text === "^want") text = await peer.next();
    assert.equal(text, "after");
    await after;
    assert.equal(connection.state, "open");
  });
});

test("L3 L7: an abort takes back an iterable that waits for the log, and the client learns that it will not arrive", async () => {
  const writes: (() => void)[] = [];
  let isHeld = false;
  const real = memoryStore();
  const store = storeWith(
    {
      append: async (...change) => {
        if (isHeld) await new Promise<void>((resolve) => writes.push(resolve));
        await real.append(...change);
      },
    },
    real,
  );
  await withSession({ store }, async ({ connection, peer }) => {
    const before = connection.send("before");
    await peer.expect("before");
    peer.word("ack 1");
    await before;
    isHeld = true;
    const aborter = new AbortController();
    const stream = fateOf(connection.send(["one ", "two"], { signal: aborter.signal }));
    await eventually(() => writes.length > 0, "a write");
    aborter.abort();
    assert.equal(await stream, "aborted unsent");
    const after = connection.send("after", { until: "delivered" });
    isHeld = false;
    for (const go of writes) go();
    await peer.expect("^skip 1", "after");
    peer.word("ack 3");
    await after;
    const next = connection.send(["c", "d"]);
    await peer.expect("c", "d", "^want");
    peer.word("ack 4");
    await next;
  });
});
