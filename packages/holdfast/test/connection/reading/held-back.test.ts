// Tests a chunk with more messages than the inbox may hold: the rest of it must wait.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../../../build/connection/reading/inbox.js";
import { follow, Harness, ROLES, type Setup } from "../harness.js";
import { usedMemory } from "../memory.js";

const CHUNK_SIZE = 64 * 1024;
/** Enough for a mean of the memory of each. */
const ENDS = 24;

/** As many one-byte messages as fit into a chunk. */
function chunkOfBytes(h: Harness): { readonly chunk: Buffer; readonly count: number } {
  const frame = h.binary(Uint8Array.of(7));
  const count = Math.floor(CHUNK_SIZE / frame.length);
  return { chunk: Buffer.concat(Array.from({ length: count }, () => frame)), count };
}

async function readAll(h: Harness): Promise<readonly Message[]> {
  const messages: Message[] = [];
  for (;;) {
    const next = follow(h.connection.recv());
    await h.clock.settle();
    if (next.outcome.status !== "fulfilled") return messages;
    messages.push(next.outcome.value);
  }
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

for (const role of ROLES) {
  for (const [maxQueue, most] of [
    [{ messages: 16, bytes: 4096 }, 17],
    [{ messages: null, bytes: 4096 }, 303],
    [{ messages: null, bytes: 64 * 1024 }, 605],
  ] as const) {
    const limits = `${maxQueue.messages} messages and ${maxQueue.bytes} bytes`;
    test(`E3: a chunk of one-byte messages costs a ${role} with a limit of ${limits} at most twice that, plus the chunk`, async (t) => {
      const ends = Array.from({ length: ENDS }, () => new Harness({ role, maxQueue }));
      const paused: number[] = [];
      for (const { connection } of ends) connection.on("paused", ({ messages }) => paused.push(messages));
      const before = await usedMemory();
      for (const h of ends) h.deliver(chunkOfBytes(h).chunk);
      const each = ((await usedMemory()) - before) / ends.length;
      assert.deepEqual(paused, Array<number>(ENDS).fill(most));
      t.diagnostic(`${Math.round(each)} bytes each`);
      assert(each < CHUNK_SIZE + Math.max(CHUNK_SIZE, 2 * maxQueue.bytes) + 16_384, `${each} bytes each`);
      for (const h of ends.slice(0, 2)) {
        assert.equal((await readAll(h)).length, chunkOfBytes(h).count);
        assert.equal(h.transport.isPaused, false);
      }
    });
  }

  const open = (setup: Setup = {}) => new Harness({ role, maxQueue: 4, ...setup });
  const deliver = (h: Harness, texts: readonly string[], ...others: readonly Uint8Array[]) =>
    h.deliver(...texts.map((one) => h.text(one)), ...others);

  test(`E4: the messages of a chunk that a ${role} holds back are delivered in order, with one pause however often they fill the queue`, async () => {
    const h = open();
    const events: string[] = [];
    h.connection.on("paused", ({ messages }) => events.push(`paused at ${messages}`));
    h.connection.on("resumed", () => events.push("resumed"));
    deliver(h, numbers(0, 50));
    h.transport.arrive(h.text("50"));
    for (const expected of numbers(0, 51)) {
      assert.equal(await h.connection.recv(), expected);
      h.clock.turn();
    }
    assert.deepEqual(events, ["paused at 5", "resumed"]);
  });

  test(`E4: a ${role} delivers held-back messages to forEach() and for await too`, async () => {
    for (const consume of ["forEach", "for await"] as const) {
      const h = open();
      deliver(h, numbers(0, 50));
      const messages: Message[] = [];
      if (consume === "forEach") void h.connection.forEach((message) => void messages.push(message));
      else
        void (async () => {
          for await (const message of h.connection) messages.push(message);
        })();
      await h.clock.settle();
      assert.deepEqual(messages, numbers(0, 50), consume);
    }
  });

  test(`C10: a ${role} whose listener makes room while pings are handled continues from there`, async () => {
    const h = open();
    const early: Promise<Message>[] = [];
    h.connection.on("ping", () => {
      for (let count = 0; count < 10; count++) early.push(h.connection.recv().catch(String));
    });
    deliver(h, numbers(0, 20), h.ping("a"), h.text("20"), h.ping("b"));
    await h.clock.settle();
    assert.deepEqual(h.sent(), ["PONG a", "PONG b"]);
    const rest = await readAll(h);
    const first = (await Promise.all(early)).filter((message) => /^\d+$/.test(String(message)));
    assert.deepEqual([...first, ...rest], numbers(0, 21));
  });

  for (const [ending, end, cause] of [
    ["RST", (h: Harness) => h.transport.fail("ECONNRESET"), "reset"],
    ["terminate()", (h: Harness) => h.connection.terminate(), "aborted"],
  ] as const) {
    test(`D8: messages that a ${role} held back can be read after ${ending}`, async () => {
      const h = open();
      deliver(h, numbers(0, 30));
      end(h);
      const info = await h.end();
      assert.deepEqual([info.cause, info.evidence.isReadingPaused], [cause, true]);
      assert.equal(info.evidence.messagesReceived, 30);
      assert.deepEqual(await readAll(h), numbers(0, 30));
      h.assertGone();
    });

    test(`D6: a Close that a ${role} held back is not lost to ${ending}`, async () => {
      const h = open();
      deliver(h, numbers(0, 30), h.close(1001, "bye"));
      assert.equal(h.connection.state, "open");
      end(h);
      const info = await h.end();
      assert.deepEqual(info.received, { code: 1001, reason: "bye" });
      assert.equal(info.receivedFirst, true);
      assert.deepEqual(await readAll(h), numbers(0, 30));
      h.assertGone();
    });
  }

  test(`D8: messages that a ${role} held back can be read after close()`, async () => {
    const h = open();
    deliver(h, numbers(0, 30));
    void h.connection.close();
    h.clock.turn();
    assert.deepEqual(h.sent(), ["CLOSE 1000"]);
    h.deliver(h.close(1000));
    h.transport.eof();
    assert.equal((await h.end()).clean, true);
    assert.deepEqual(await readAll(h), numbers(0, 30));
    h.assertGone();
  });

  test(`D8: a Close that a ${role} held back is answered once the messages before it were read`, async () => {
    const h = open();
    deliver(h, numbers(0, 30), h.close(1000));
    h.clock.turn();
    assert.deepEqual([h.connection.state, h.sent()], ["open", []]);
    assert.deepEqual(await readAll(h), numbers(0, 30));
    assert.deepEqual(h.sent(), ["CLOSE 1000"]);
    h.transport.eof();
    assert.equal((await h.end()).clean, true);
  });

  test(`E3: one-byte fragments that wait in recvStream() of a ${role} are held back too`, async () => {
    const ends = Array.from({ length: 30 }, () => {
      const h = open({ maxQueue: { messages: null, bytes: 4096 } });
      return { h, stream: h.connection.recvStream() };
    });
    const [{ h, stream }] = ends;
    const fragments = (count: number, isLast = false) =>
      Array.from({ length: count }, (_, index) =>
        h.frame({ opcode: 0, payload: "x", isFinal: isLast && index === count - 1 }),
      );
    const first = h.frame({ opcode: 2, payload: "x", isFinal: false });
    const chunk = Buffer.concat([first, ...fragments(9000)]);
    const before = await usedMemory();
    for (const end of ends) {
      const next = follow(end.stream.next());
      end.h.deliver(chunk);
      await end.h.clock.settle();
      assert.deepEqual([next.outcome.status, end.h.transport.isPaused], ["fulfilled", true]);
    }
    const each = ((await usedMemory()) - before) / ends.length;
    assert(each < 2 * CHUNK_SIZE + 32_768, `${each} bytes each`);
    let count = 1;
    for (; count < 9001; count++) {
      const next = follow(stream.next());
      await h.clock.settle();
      assert.equal(next.outcome.status, "fulfilled", `piece ${count}`);
    }
    assert.equal(h.transport.isPaused, false);
    h.deliver(...fragments(1, true));
    assert.deepEqual([(await stream.next()).done, (await stream.next()).done], [false, true]);
  });
}
