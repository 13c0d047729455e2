import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { connect, serve, type Connection } from "../../build/index.js";
import { eventually, frame, OPCODE, RawServer } from "holdfast-testkit";
import { usedMemory } from "../connection/memory.js";
import { Harness, ROLES } from "../connection/harness.js";
import { assertServes, attacker, echoServer } from "./servers.js";

const MIB = 1024 * 1024;

/** Asserts that the attack adds at most `limit` bytes to the memory in use. */
async function assertCosts(t: TestContext, limit: number, attack: () => unknown): Promise<void> {
  const before = await usedMemory();
  await attack();
  const cost = (await usedMemory()) - before;
  t.diagnostic(`${(cost / 1024).toFixed(0)} KiB, of ${limit / 1024} KiB at most`);
  assert(cost < limit, `It cost ${(cost / 1024).toFixed(0)} KiB`);
}

for (const role of ROLES) {
  test(`E3, H: 10,000 fragments of one byte cost a ${role} their message, and empty ones nothing`, async (t) => {
    const h = new Harness({ role });
    const fragment = (opcode: number, payload: string) => h.frame({ opcode, payload, isFinal: false });
    const [one, none] = [fragment(OPCODE.continuation, "x"), fragment(OPCODE.continuation, "")];
    h.deliver(fragment(OPCODE.text, "x"));
    await assertCosts(t, MIB, () => {
      for (let count = 1; count < 10_000; count++) h.deliver(one);
      for (let count = 0; count < 100_000; count++) h.deliver(none);
      h.clock.turn(); // The fake kernel records each delivery until then.
    });
    h.deliver(h.frame({ opcode: OPCODE.continuation }));
    assert.equal(await h.connection.recv(), "x".repeat(10_000));
    assert.deepEqual([h.connection.state, h.transport.isPaused], ["open", false]);
  });

  test(`E3, H: a message that arrives one byte at a time costs a ${role} little more than its size`, async (t) => {
    const h = new Harness({ role });
    const bytes = h.binary("x".repeat(64 * 1024));
    await assertCosts(t, MIB, () => {
      for (let at = 0; at < bytes.length - 1; at++) h.transport.deliver(bytes.subarray(at, at + 1));
      h.clock.turn();
    });
    h.transport.deliver(bytes.subarray(-1));
    assert.equal((await h.connection.recv()).length, 64 * 1024);
  });

  test(`E3, H: small messages cut out of large chunks do not keep the chunks of a ${role}`, async (t) => {
    const h = new Harness({ role });
    const pong = h.frame({ opcode: OPCODE.pong, payload: "x".repeat(125) });
    const chunk = Buffer.concat([h.binary("x".repeat(100)), ...Array<Uint8Array>(500).fill(pong)]);
    await assertCosts(t, 512 * 1024, () => {
      for (let count = 0; count < 100; count++) h.deliver(chunk);
      h.clock.turn();
    });
    assert.equal((await h.connection.recv()).length, 100);
  });
}

/** The shortest possible messages. The limits allow for the 1,024 queued messages and one chunk of 64 KiB. */
const SMALL = [
  { what: "empty texts", opcode: OPCODE.text, payload: "", limit: 2 * MIB },
  { what: "empty binary messages", opcode: OPCODE.binary, payload: "", limit: 2 * MIB },
  { what: "texts of one byte", opcode: OPCODE.text, payload: "x", limit: 2 * MIB },
  { what: "binary messages of one byte", opcode: OPCODE.binary, payload: "x", limit: 8 * MIB },
] as const;

for (const { what, opcode, payload, limit } of SMALL) {
  test(`E3, H: a flood of ${what} pauses reading under a slow consumer, and costs no more than ${limit / MIB} MiB`, async (t) => {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.acceptUpgrade();
      await peer.readFrame(); // The memory before the attack has been measured.
      const flood = Buffer.concat(Array<Uint8Array>(32_768).fill(frame({ opcode, payload })));
      while (!isPaused) {
        peer.write(flood);
        await peer.flushed();
      }
    });
    let isPaused = false;
    const connection = await connect(server.url(), { pingInterval: null });
    connection.on("paused", () => (isPaused = true));
    await assertCosts(t, limit, async () => {
      await connection.send("go");
      await eventually(() => isPaused, "reading to pause");
    });
    for (let count = 0; count < 10_000; count++)
      assert.equal((await connection.recv()).length, payload.length);
    connection.terminate();
  });
}

test("H: a flood of pings from a peer that never reads costs one Pong, and others are served", async (t) => {
  const accepted: Connection[] = [];
  await using server = await serve(
    (connection) => {
      accepted.push(connection);
      return connection.forEach((message) => connection.send(message));
    },
    { host: "127.0.0.1", pingInterval: null },
  );
  await using client = await attacker(server);
  await client.upgrade();
  client.stopReading();
  const pings = Buffer.concat(
    Array<Uint8Array>(1000).fill(frame({ opcode: OPCODE.ping, payload: "x".repeat(125), mask: true })),
  );
  const [connection] = accepted;
  assert(connection !== undefined);
  let received = 0;
  connection.on("ping", () => received++);
  let largest = 0;
  await assertCosts(t, 8 * MIB, async () => {
    for (let round = 0; round < 100; round++) {
      client.write(pings);
      await client.flushed();
      largest = Math.max(largest, connection.bufferedAmount);
    }
    await eventually(() => received === 100_000, "the pings to be read");
  });
  t.diagnostic(`${received} pings; at most ${largest} bytes of Pongs unsent`);
  assert(largest < 256 * 1024);
  assert.equal(connection.state, "open");
  await assertServes(server);
});

test("H: a flood of pongs answers nothing, and changes nothing", async (t) => {
  await using server = await echoServer({ pingInterval: 60_000 });
  await using client = await attacker(server);
  await client.upgrade();
  let ping = await client.readFrame();
  // If the machine is busy, the server may be delayed, and then pings again.
  const reading = (async () => {
    for (;;) ping = await client.readFrame();
  })();
  reading.catch(() => {}); // Ends with the connection.
  const pongs = Buffer.concat(
    Array.from({ length: 10_000 }, (_, index) =>
      frame({ opcode: OPCODE.pong, payload: `${index}`, mask: true }),
    ),
  );
  const [connection] = server.connections;
  assert(connection !== undefined);
  let unknown = 0;
  connection.on("pong", ({ roundTrip }) => (unknown += roundTrip === null ? 1 : 0));
  await assertCosts(t, 2 * MIB, async () => {
    for (let round = 0; round < 10; round++) client.write(pongs);
    await eventually(() => unknown === 100_000, "the pongs to be read");
  });
  assert.deepEqual([connection.latency, connection.latencyStats.answered], [null, 0]);
  await eventually(() => {
    client.sendPong(ping.payload);
    return connection.latencyStats.answered > 0;
  }, "the right pong to count");
  assert.equal(client.receivedLength < 500, true);
});

test("H: hundreds of short connections leave nothing behind", async (t) => {
  await using server = await echoServer();
  const visit = async (): Promise<void> => {
    const connection = await connect(server.url, { pingInterval: null });
    connection.terminate();
    await connection.closed;
  };
  for (let count = 0; count < 100; count++) await visit();
  await assertCosts(t, MIB, async () => {
    for (let count = 0; count < 300; count++) await visit();
    await eventually(() => server.connections.size === 0, "the server to notice");
  });
});
