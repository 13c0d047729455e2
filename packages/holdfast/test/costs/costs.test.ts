import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { attach, connect, connectPersistent, serve } from "../../build/index.js";
import type { Connection } from "../../build/connection/connection.js";
import { eventually } from "holdfast-testkit";
import { BATCH, countErrors, deliverBatch, deliverClose, MESSAGE_SIZE, openLean } from "./lean-connection.js";
import type { Costs } from "./measure.js";

// Performance tests without a clock: these counts do not depend on the load of the machine.

let costs: Costs;

before(async () => {
  const program = fileURLToPath(new URL("measure.js", import.meta.url));
  // No collection may happen between two readings, so that the heap's growth shows all allocations.
  const flags = ["--expose-gc", "--min-semi-space-size=128", "--max-semi-space-size=128"];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program], { timeout: 60_000 });
  costs = JSON.parse(stdout) as Costs; // printed by measure.ts
});

test("E5: an echo with forEach creates no promise", () => {
  assert(costs.promises.echoByForEach < 0.01, `${costs.promises.echoByForEach} a message`);
});

test("E5: a message in `for await` creates two promises: one of the iterator and one of the await", () => {
  assert(costs.promises.receivedByForAwait < 2.1, `${costs.promises.receivedByForAwait} a message`);
});

test("E4: a received text of 64 bytes allocates its string on the heap, and nothing else", () => {
  assert(costs.heapBytes.receive < 100, `${costs.heapBytes.receive} bytes a message`);
});

test("E5: sending a short message allocates nothing on the heap", () => {
  assert(costs.heapBytes.queue < 8, `${costs.heapBytes.queue} bytes a message`);
  const ofSending = costs.heapBytes.echo - costs.heapBytes.receive;
  assert(ofSending < 16, `${ofSending} bytes an echoed message`);
});

test("C16: an idle connection with keepalive keeps less than 3 KB beside its socket", () => {
  assert(costs.idleConnection < 3000, `${costs.idleConnection} bytes`);
});

for (const session of [false, true])
  test(`E4: a server reads no address that nobody asks for${session ? ", of a session either" : ""}: it costs two system calls, and Node keeps it`, async () => {
    const listener = createServer();
    let reads = 0;
    listener.on("connection", (socket) =>
      Object.defineProperty(socket, "remoteAddress", { get: () => (reads++, "192.0.2.1") }),
    );
    const opened: Connection[] = [];
    const handler = (connection: Connection): unknown => {
      opened.push(connection);
      return connection.forEach(() => undefined);
    };
    await using server = attach(listener, handler, { sessions: session });
    await once(listener.listen(0, "127.0.0.1"), "listening");
    const { port } = listener.address() as AddressInfo; // It listens on a port.
    const client = connectPersistent(`ws://127.0.0.1:${port}`, { session });
    await client.send("a message", session ? { until: "delivered" } : {});
    await eventually(() => opened.length === 1, "the handler");
    const unasked = reads;
    const address = opened[0].remoteAddress?.address;
    await client.close();
    await server.close();
    listener.close();
    assert.deepEqual([unasked, address, reads], [0, "192.0.2.1", 1]);
  });

test("D7: a connection creates its closing error on demand, and only once", async () => {
  const { connection, transport } = openLean();
  const ended = connection.forEach(() => undefined);
  const unasked = await countErrors(async () => {
    deliverClose(transport);
    await ended;
  });
  assert.equal(connection.state, "closed");
  const asked = await countErrors(async () => {
    const { reason } = connection.signal as { reason: unknown };
    await assert.rejects(connection.recv(), (error) => error === reason);
    await assert.rejects(connection.ping(), (error) => error === reason);
  });
  assert.deepEqual([unasked, asked], [0, 1]);
});

/** The ways in which an application may echo the messages that it reads. */
const FORMS: Readonly<Record<string, (connection: Connection) => Promise<unknown>>> = {
  "a callback that returns nothing": (connection) =>
    connection.forEach((message) => void connection.send(message)),
  "a callback that returns the promise of send()": (connection) =>
    connection.forEach((message) => connection.send(message)),
  "an async callback that awaits send()": (connection) =>
    connection.forEach(async (message) => {
      await connection.send(message);
    }),
  "an async callback that awaits something else first": (connection) =>
    connection.forEach(async (message) => {
      await Promise.resolve();
      await connection.send(message);
    }),
  "an iteration that awaits send()": async (connection) => {
    for await (const message of connection) await connection.send(message);
  },
  "an iteration that does not": async (connection) => {
    for await (const message of connection) void connection.send(message);
  },
  "recv() in a loop": async (connection) => {
    for (;;) await connection.send(await connection.recv());
  },
  "recvStream() in a loop": async (connection) => {
    for (;;) for await (const piece of connection.recvStream()) await connection.send(piece);
  },
};

for (const [name, echo] of Object.entries(FORMS)) {
  test(`E9: the answers to a chunk of a hundred messages are one write with ${name}`, async () => {
    const { connection, transport } = openLean();
    void echo(connection);
    await nextTurn();
    const already = { writes: transport.writes, bytes: transport.bytes };
    for (let round = 0; round < 10; round++) {
      // An immediate, like the callback of a socket, runs the ticks that it schedules before promise
      // continuations.
      await new Promise<void>((resolve) =>
        setImmediate(() => {
          deliverBatch(transport);
          setImmediate(resolve);
        }),
      );
    }
    const answers = (transport.bytes - already.bytes) / (2 + MESSAGE_SIZE);
    assert.deepEqual([answers, transport.writes - already.writes], [10 * BATCH, 10]);
    connection.terminate();
  });
}

test("C16: fifty connections with keepalive, at both ends, share one timer of the process", async () => {
  await using server = await serve(() => undefined, { host: "127.0.0.1" });
  const already = timers();
  const opened = await Promise.all(Array.from({ length: 50 }, () => connect(server.url)));
  assert(opened.every(({ state }) => state === "open"));
  assert(timers() - already <= 1, `${timers() - already} timers`);
  await Promise.all(opened.map((connection) => connection.close()));
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}
