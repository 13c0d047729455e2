import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Harness } from "../harness.js";
import { usedMemory } from "../memory.js";

/** A connection that records each pause and each resumption. */
function watched(setup: ConstructorParameters<typeof Harness>[0]) {
  const h = new Harness(setup);
  const events: object[] = [];
  h.connection.on("paused", (event) => events.push({ paused: event, at: h.clock.now() }));
  h.connection.on("resumed", (event) => events.push({ resumed: event, at: h.clock.now() }));
  return { h, events };
}

const receive = async (h: Harness, count: number) => {
  const messages: unknown[] = [];
  for (let index = 0; index < count; index++) messages.push(await h.connection.recv());
  return messages;
};

describe("The inbox", () => {
  test("E4: reading pauses above maxQueue messages and resumes at a quarter of them", async () => {
    const { h, events } = watched({ maxQueue: 8 });
    for (let index = 0; index < 8; index++) h.deliver(h.text(String(index)));
    assert.deepEqual([h.transport.isPaused, events], [false, []]);
    h.deliver(h.text("8"));
    assert.equal(h.transport.isPaused, true);
    h.transport.arrive(h.text("9"));
    h.clock.advance(500);
    assert.deepEqual(await receive(h, 6), ["0", "1", "2", "3", "4", "5"]);
    assert.equal(h.transport.isPaused, true);
    assert.deepEqual(await receive(h, 1), ["6"]);
    assert.equal(h.transport.isPaused, false);
    assert.deepEqual(events, [
      { paused: { messages: 9, bytes: 9 }, at: 0 },
      { resumed: { duration: 500 }, at: 500 },
    ]);
    h.clock.turn();
    assert.deepEqual(await receive(h, 3), ["7", "8", "9"]);
  });

  test("E4: reading also pauses above maxQueue bytes, whichever comes first", async () => {
    const { h, events } = watched({ maxQueue: { messages: 100, bytes: 1000 } });
    for (let index = 0; index < 10; index++) h.deliver(h.binary("x".repeat(100)));
    assert.equal(h.transport.isPaused, false);
    h.deliver(h.binary("x"));
    assert.deepEqual(
      [h.transport.isPaused, events],
      [true, [{ paused: { messages: 11, bytes: 1001 }, at: 0 }]],
    );
    await receive(h, 7);
    assert.equal(h.transport.isPaused, true);
    await receive(h, 1);
    assert.equal(h.transport.isPaused, false);
  });

  test("E4: by default 1,024 messages or 1 MiB; null means no limit; a limit of one message works", async () => {
    const messages = new Harness();
    for (let index = 0; index < 1024; index++) messages.deliver(messages.text(""));
    assert.equal(messages.transport.isPaused, false);
    messages.deliver(messages.text(""));
    assert.equal(messages.transport.isPaused, true);

    const bytes = new Harness();
    for (let index = 0; index < 4; index++) bytes.deliver(bytes.binary("x".repeat(256 * 1024)));
    assert.equal(bytes.transport.isPaused, false);
    bytes.deliver(bytes.text("x"));
    assert.equal(bytes.transport.isPaused, true);

    for (const maxQueue of [null, { messages: null, bytes: null }]) {
      const unlimited = new Harness({ maxQueue });
      for (let index = 0; index < 2000; index++) unlimited.deliver(unlimited.binary("x".repeat(1000)));
      assert.equal(unlimited.transport.isPaused, false);
    }

    const { h } = watched({ maxQueue: 1 });
    for (let index = 0; index < 10; index++) {
      h.transport.arrive(h.text(String(index)));
      h.clock.turn();
    }
    const received: unknown[] = [];
    for (let index = 0; index < 10; index++) {
      received.push(await h.connection.recv());
      h.clock.turn();
    }
    assert.deepEqual(
      received,
      Array.from({ length: 10 }, (_, index) => String(index)),
    );
  });

  test("E4: a slow consumer receives a hundred thousand messages in order, and memory stays flat", async () => {
    const h = new Harness({ maxQueue: 100 });
    let sent = 0;
    let received = 0;
    let pauses = 0;
    h.connection.on("paused", () => pauses++);
    const step = async (count: number) => {
      for (const until = received + count; received < until; received++) {
        while (!h.transport.isPaused) h.deliver(h.text(String(sent++)));
        assert.equal(await h.connection.recv(), String(received));
        h.clock.turn();
      }
    };
    await step(10_000);
    const before = await usedMemory();
    await step(90_000);
    const growth = (await usedMemory()) - before;
    assert(growth < 2_000_000, `the messages left ${growth} bytes`);
    assert(pauses > 1000 && sent - received <= 101, `${pauses} pauses, ${sent - received} messages ahead`);
  });

  test("E3: a queued small message does not keep its large chunk in memory", async () => {
    const h = new Harness({ maxQueue: null });
    const filler = Buffer.concat(Array.from({ length: 500 }, () => h.pong("x".repeat(120))));
    const before = await usedMemory();
    for (let index = 0; index < 100; index++) {
      h.deliver(h.binary("kept"), filler);
      h.clock.turn();
    }
    const growth = (await usedMemory()) - before;
    assert(growth < 2_000_000, `100 messages of 4 bytes keep ${growth} bytes`);
    assert.equal((await receive(h, 100)).length, 100);
  });

  test("E3: received bytes belong to the application: later data does not change them", async () => {
    const h = new Harness({ role: "server" });
    h.deliver(h.binary("first"), h.binary("other"));
    const first = await h.connection.recv();
    h.deliver(h.binary("third"), h.binary("x".repeat(70_000)));
    const copies = [first, await h.connection.recv(), await h.connection.recv()].map((bytes) =>
      Buffer.from(bytes as Uint8Array).toString(),
    );
    assert.deepEqual(copies, ["first", "other", "third"]);
    assert.equal(Object.getPrototypeOf(first), Uint8Array.prototype);
  });

  test("C10: control frames are handled while messages wait, up to the end of the chunk that filled the queue", () => {
    const { h, events } = watched({ maxQueue: 2 });
    h.deliver(h.text("a"), h.text("b"), h.text("c"), h.ping("still served"), h.text("d"));
    assert.deepEqual(h.sent(), ["PONG still served"]);
    assert.equal(events.length, 1, "one pause, however far the chunk goes beyond it");
  });
});
