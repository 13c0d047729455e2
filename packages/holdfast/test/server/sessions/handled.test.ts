import assert from "node:assert/strict";
import { test } from "node:test";
import { connectPersistent, serve, type Connection, type Server } from "../../../build/index.js";
import { eventually } from "holdfast-testkit";
import { SessionPeer } from "./session-peer.js";

interface Held {
  readonly message: string;
  readonly finish: () => void;
}

async function withServer(
  handler: (connection: Connection) => unknown,
  use: (server: Server) => Promise<void>,
): Promise<void> {
  const server = await serve(handler, {
    host: "127.0.0.1",
    pingInterval: null,
    sessions: { acknowledge: "handled" },
  });
  try {
    await use(server);
  } finally {
    await server.close({ timeout: 0 });
  }
}

/** A callback that finishes with each message when the test says so. */
function holdEach(held: Held[]): (connection: Connection) => Promise<unknown> {
  return (connection) =>
    connection.forEach(
      (message) =>
        new Promise<void>((resolve) => held.push({ message: String(message), finish: () => resolve() })),
    );
}

/** Asks for an ack, and expects one of exactly this position. */
async function wants(peer: SessionPeer, position: string): Promise<void> {
  peer.word("want");
  await peer.confirmed(position);
}

test("L1: with acknowledge handled, a message is confirmed once the callback of forEach has settled", async () => {
  const held: Held[] = [];
  await withServer(holdEach(held), async ({ port }) => {
    const peer = await SessionPeer.connect(port);
    await peer.open();
    for (const text of ["a", "b", "c"]) peer.send(text);
    await eventually(() => held.length === 1, "the first message");
    await wants(peer, "0");
    held[0]?.finish();
    await eventually(() => held.length === 2, "the second message");
    await wants(peer, "1");
    held[1]?.finish();
    await eventually(() => held.length === 3, "the third message");
    held[2]?.finish();
    await peer.confirmed("3"); // After ackDelay, without `want`.
    assert.deepEqual(
      held.map(({ message }) => message),
      ["a", "b", "c"],
    );
    await peer.close();
  });
});

test("L1: with acknowledge handled, callbacks that return at once confirm what they took", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] }); // No ackDelay passes in this test.
  await withServer(
    (connection) => connection.forEach(() => undefined),
    async ({ port }) => {
      const peer = await SessionPeer.connect(port);
      await peer.open();
      await peer.expect("^spread 100");
      // A quarter of the window, 1,024, is confirmed at once.
      for (let index = 0; index < 256; index++) peer.send("x");
      await peer.expect("^ack 74");
      await peer.close();
    },
  );
});

test("L1: with acknowledge handled, recv and the iterator confirm a message when they request the next", async () => {
  const steps: (() => void)[] = [];
  const step = (): Promise<void> => new Promise((resolve) => steps.push(resolve));
  await withServer(
    async (connection) => {
      await connection.recv();
      await step();
      for await (const _ of connection) await step();
    },
    async ({ port }) => {
      const peer = await SessionPeer.connect(port);
      await peer.open();
      for (const text of ["a", "b", "c"]) peer.send(text);
      await eventually(() => steps.length === 1, "recv");
      await wants(peer, "0");
      steps[0]?.();
      await eventually(() => steps.length === 2, "the first step of the iteration");
      await wants(peer, "1");
      steps[1]?.();
      await eventually(() => steps.length === 3, "the second step");
      await wants(peer, "2");
      steps[2]?.();
      await peer.confirmed("3");
      await peer.close();
    },
  );
});

test("L1 L3: with acknowledge handled, messages are confirmed that are handled after `end`, before the Close is answered", async () => {
  const held: Held[] = [];
  await withServer(holdEach(held), async ({ port }) => {
    for (const word of ["end", null]) {
      const peer = await SessionPeer.connect(port);
      await peer.open();
      peer.send("a");
      peer.send("b");
      if (word !== null) peer.word(word);
      peer.raw.sendClose(1000);
      for (const position of ["1", "2"]) {
        await eventually(() => held.length > 0, `message ${position}`);
        held.shift()?.finish();
      }
      await peer.confirmed("2");
      await peer.expect("close 1000 ");
      await peer.close();
    }
  });
});

test("L1 L3: with acknowledge handled, messages that are handled while the client closes count as delivered", async () => {
  const held: Held[] = [];
  await withServer(holdEach(held), async ({ url }) => {
    const client = connectPersistent(url, { session: true });
    const losses: unknown[] = [];
    client.on("lost", (event) => losses.push(event));
    const sends = ["a", "b"].map((text) => client.send(text, { until: "delivered" }));
    await eventually(() => held.length > 0, "the first message");
    const closed = client.close();
    for (const position of ["1", "2"]) {
      await eventually(() => held.length > 0, `message ${position}`);
      held.shift()?.finish();
    }
    await Promise.all([...sends, closed]);
    assert.deepEqual(losses, []);
  });
});

test("L1: with acknowledge handled, skipped positions are confirmed with what lies around them", async () => {
  const held: Held[] = [];
  await withServer(holdEach(held), async ({ port }) => {
    const peer = await SessionPeer.connect(port);
    const { id, secret } = await peer.open();
    peer.send("1");
    peer.word("skip 2");
    peer.send("4");
    peer.word("skip 1");
    await eventually(() => held.length === 1, "the first message");
    await wants(peer, "0");
    held[0]?.finish();
    await eventually(() => held.length === 2, "the second message");
    await wants(peer, "3");
    peer.cut();
    const later = await SessionPeer.connect(port);
    later.resume({ id, secret }, 0, 4);
    await later.expect("^resumed 5 3");
    held[1]?.finish();
    await later.expect("^spread 100", "^replay 0", "^ack 5");
    await later.close();
  });
});

test("L1: with acknowledge handled, an application that closes has handled what it took", async () => {
  await withServer(
    async (connection) => {
      await connection.recv();
    },
    async ({ port }) => {
      const peer = await SessionPeer.connect(port);
      await peer.open();
      peer.send("the only one");
      await peer.expect("^spread 100", "^ack 1", "^end", "close 1000 ");
      await peer.close();
    },
  );
});
