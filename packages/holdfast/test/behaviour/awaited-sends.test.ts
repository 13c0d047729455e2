// Loops of awaited sends, to a peer that accepts everything at once: they must not keep the event loop to themselves.

import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import { after, before, describe, test } from "node:test";
import {
  connect,
  connectPersistent,
  serve,
  toNodeStream,
  toWebStreams,
  type Connection,
  type Server,
} from "../../build/index.js";
import { createTopics } from "../../build/topics.js";

/** Milliseconds after which a loop gives up: without turns for others, it would never end. */
const GIVE_UP = 5_000;

let server: Server;

before(async () => {
  server = await serve((connection) => connection.forEach(() => undefined), { host: "127.0.0.1", port: 0 });
});
after(() => server.close({ timeout: 0 }));

/** A stream to the server that accepts whatever follows the request at once, and drops it. */
function sink(): Duplex {
  const socket = connectTcp(server.port, "127.0.0.1");
  let isOpen = false;
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk, _encoding, callback) => {
      if (isOpen) callback();
      else socket.write(chunk as Buffer, callback);
    },
    destroy: (error, callback) => {
      socket.destroy();
      callback(error);
    },
  });
  socket.on("data", (chunk) => {
    isOpen = true;
    stream.push(chunk);
  });
  return stream;
}

const open = (): Promise<Connection> => connect(server.url, { createConnection: sink, pingInterval: null });

type Loop = (connection: Connection, isOver: () => boolean) => Promise<unknown>;

const repeat = async (isOver: () => boolean, send: () => Promise<unknown>): Promise<void> => {
  while (!isOver()) await send();
};

const LOOPS: Readonly<Record<string, Loop>> = {
  "short text": (connection, isOver) => repeat(isOver, () => connection.send("x")),
  "large bytes": (connection, isOver) => {
    const data = new Uint8Array(100_000);
    return repeat(isOver, () => connection.send(data));
  },
  "messages in fragments": (connection, isOver) => repeat(isOver, () => connection.send(["a", "b"])),
  "one message of endless fragments": (connection, isOver) => {
    const pieces = function* (): Generator<string> {
      while (!isOver()) yield "x";
    };
    return connection.send(pieces());
  },
  "messages behind a fragmented one": (connection, isOver) =>
    repeat(isOver, () => {
      void connection.send(["a", "b"]);
      return connection.send("x");
    }),
  "a WritableStream": async (connection, isOver) => {
    const writer = toWebStreams(connection).writable.getWriter();
    await repeat(isOver, () => writer.write("x"));
  },
  "a stream of Node": async (connection, isOver) => {
    const stream = toNodeStream(connection).on("error", () => undefined); // The connection is terminated afterwards.
    await repeat(isOver, () => new Promise((resolve) => stream.write("x", resolve)));
  },
};

/** Runs a loop until a timer has fired. */
async function assertLetsTimersFire(run: (isOver: () => boolean) => Promise<unknown>): Promise<void> {
  let hasFired = false;
  const timer = setTimeout(() => (hasFired = true), 20);
  const end = performance.now() + GIVE_UP;
  await run(() => hasFired || performance.now() > end);
  clearTimeout(timer);
  assert.ok(hasFired, "no timer fired while the loop ran");
}

describe("E10: a loop of awaited sends lets timers fire", () => {
  for (const [name, loop] of Object.entries(LOOPS)) {
    test(`E10: ${name}`, async () => {
      const connection = await open();
      await assertLetsTimersFire((isOver) => loop(connection, isOver));
      connection.terminate();
    });
  }

  test("E10: many connections at a time", async () => {
    const connections = await Promise.all(Array.from({ length: 20 }, open));
    await assertLetsTimersFire((isOver) =>
      Promise.all(connections.map((connection) => repeat(isOver, () => connection.send("x")))),
    );
    for (const connection of connections) connection.terminate();
  });

  test("E10: a persistent connection", async () => {
    const persistent = connectPersistent(server.url, { createConnection: sink, pingInterval: null });
    await persistent.send("first");
    await assertLetsTimersFire((isOver) => repeat(isOver, () => persistent.send("x")));
    persistent.connection?.terminate();
    await persistent.close();
  });

  test("E10: publishing with the memory engine", async () => {
    await using topics = createTopics();
    await assertLetsTimersFire((isOver) => repeat(isOver, () => topics.publish("news", "x")));
  });

  test("E10: a send that waits for the next turn resolves although the connection ends in this one", async () => {
    const connection = await open();
    const sends: Promise<void>[] = [];
    const end = performance.now() + 30;
    while (performance.now() < end) sends.push(connection.send("x"));
    connection.terminate();
    await Promise.all(sends);
    assert.ok(sends.length > 0);
  });
});
