// How the connection answers the peer's Close, with and without a reader of the earlier messages.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Connection } from "../../../build/connection/connection.js";
import { follow, Harness, ROLES } from "../harness.js";

const COUNT = 100;
const NUMBERS = Array.from({ length: COUNT }, (_, index) => String(index));
const ANSWERS = [...NUMBERS.map((text) => `TEXT re ${text}`), "CLOSE 1000"];

type Answer = (connection: Connection, message: unknown) => Promise<void>;
type Read = (connection: Connection, answer: Answer) => Promise<unknown>;

const WAYS: readonly (readonly [string, Read])[] = [
  [
    "forEach() and a returned promise",
    (connection, answer) => connection.forEach((message) => answer(connection, message)),
  ],
  [
    "forEach() and an async callback",
    (connection, answer) => connection.forEach(async (message) => await answer(connection, message)),
  ],
  [
    "for await",
    async (connection, answer) => {
      for await (const message of connection) await answer(connection, message);
    },
  ],
  [
    "a loop of recv()",
    async (connection, answer) => {
      for (;;) await answer(connection, await connection.recv());
    },
  ],
  [
    "a loop of recvStream()",
    async (connection, answer) => {
      for (;;) {
        let message = "";
        for await (const piece of connection.recvStream()) message += String(piece);
        await answer(connection, message);
      }
    },
  ],
];

async function pass(h: Harness, turns = 3 * COUNT): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await nextTurn();
    await h.clock.settle();
  }
}

describe("the peer's Close", () => {
  for (const role of ROLES) {
    for (const [way, read] of WAYS) {
      for (const [pace, wait] of [
        ["at once", () => Promise.resolve()],
        ["a turn later", nextTurn],
      ] as const) {
        test(`D10: a ${role} that reads with ${way} answers a hundred messages that arrived with a Close ${pace}`, async () => {
          const h = new Harness({ role });
          const reading = read(h.connection, async (connection, message) => {
            await wait();
            await connection.send(`re ${String(message)}`);
          }).catch(() => "closed");
          h.deliver(...NUMBERS.map((text) => h.text(text)), h.close(1000));
          assert.equal(h.connection.state, "closing");
          await pass(h);
          assert.deepEqual(h.sent(), ANSWERS);
          const late = follow(h.connection.send("late"));
          h.transport.eof();
          const info = await h.end();
          assert.deepEqual([info.clean, info.cause], [true, "peer-close"]);
          assert.equal(late.outcome.status, "rejected");
          await reading;
          h.assertGone();
        });
      }
    }
  }

  test("D10: the peer's FIN after its Close does not cut the answers short", async () => {
    const h = new Harness({ role: "server" });
    void h.connection.forEach(async (message) => {
      await nextTurn();
      await h.connection.send(`re ${String(message)}`);
    });
    h.deliver(...NUMBERS.map((text) => h.text(text)), h.close(1000));
    h.transport.eof();
    await pass(h);
    assert.deepEqual(h.sent(), ANSWERS);
    assert.equal((await h.end()).clean, true);
  });

  test("D10: a reader that never finishes delays the answer for half of closeTimeout", async () => {
    for (const [closeTimeout, latest] of [
      [3_000, 1_500],
      [null, 5_000],
    ] as const) {
      const h = new Harness({ closeTimeout });
      void h.connection.forEach(() => new Promise(() => undefined));
      h.deliver(h.text("a"), h.text("b"), h.close(1000));
      h.clock.advance(latest - 1);
      assert.deepEqual(h.sent(), []);
      h.clock.advance(1);
      assert.deepEqual(h.sent(), ["CLOSE 1000"]);
      assert.equal(follow(h.connection.send("late")).outcome.status, "pending");
      h.transport.eof();
      assert.equal((await h.end()).clean, true);
      assert.equal(
        await h.connection.recv().catch((error: unknown) => (error as Error).name),
        "ConcurrencyError",
      );
    }
  });

  test("D10: unsent messages do not delay the answer for longer than that either", async () => {
    const h = new Harness({ closeTimeout: 4_000, capacity: 1_000 });
    let isDone: () => void = () => undefined;
    void h.connection.forEach(() => new Promise<void>((resolve) => (isDone = resolve)));
    h.deliver(h.text("a"), h.close(1000));
    for (let count = 0; count < 50; count++)
      void h.connection.send(Buffer.alloc(100_000)).catch(() => undefined);
    isDone();
    await h.clock.settle();
    h.clock.advance(2_000);
    assert(h.connection.bufferedAmount < 1_000_000, `${h.connection.bufferedAmount} bytes wait`);
    h.clock.advance(2_000);
    assert.equal((await h.end()).cause, "close-timeout");
    h.assertGone();
  });

  for (const closesFirst of [false, true]) {
    test(`D6: a Close that waits behind messages until closeTimeout${closesFirst ? ", after our close()," : ""} was not exchanged`, async () => {
      const h = new Harness({ closeTimeout: 4_000, capacity: 1_000, pingInterval: null });
      void h.connection.send(Buffer.alloc(100_000)).catch(() => undefined);
      const reading = h.connection.recv().then(
        () => "a message",
        (error: unknown) => (error as Error).name,
      );
      h.clock.advance(0);
      if (closesFirst) void h.connection.close();
      h.clock.advance(0);
      h.deliver(h.close(1000));
      h.clock.advance(4_000);
      const { cause, clean, ok, message } = await h.end();
      assert.deepEqual(
        { cause, clean, ok, message },
        {
          cause: "close-timeout",
          clean: false,
          ok: false,
          message: "received 1000 (OK); no close frame sent",
        },
      );
      assert.equal(await reading, "ConnectionClosedError");
      h.assertGone();
    });
  }

  test("D10: after one recv() the Close waits one second for another, but not once `closed` is awaited", async () => {
    for (const [awaitsEnd, expected] of [
      [false, []],
      [true, ["CLOSE 1000"]],
    ] as const) {
      for (const isLate of [false, true]) {
        const h = new Harness();
        const first = h.connection.recv();
        h.deliver(h.text("a"));
        assert.equal(await first, "a");
        if (awaitsEnd && !isLate) void h.connection.closed;
        h.deliver(h.close(1000));
        if (awaitsEnd && isLate) void h.connection.closed;
        h.clock.turn();
        assert.deepEqual(h.sent(), expected);
        h.clock.advance(1_000);
        assert.deepEqual(h.sent(), awaitsEnd ? [] : ["CLOSE 1000"]);
      }
    }
    const h = new Harness();
    const first = h.connection.recv();
    h.deliver(h.text("a"));
    await first;
    h.clock.advance(1_000);
    h.deliver(h.close(1000));
    h.clock.turn();
    assert.deepEqual(h.sent(), ["CLOSE 1000"], "a reader that has been away for a second is not waited for");
  });

  test("D10: close() and the end of a loop send the answer to the Close at once", async () => {
    const h = new Harness();
    const first = h.connection.recv();
    h.deliver(h.text("a"), h.text("b"), h.close(4000, "bye"));
    await first;
    void h.connection.close();
    h.clock.turn();
    assert.deepEqual(h.sent(), ["CLOSE 4000 bye"]);
    h.transport.eof();
    assert.equal((await h.end()).clean, true);
    assert.equal(await h.connection.recv(), "b");
  });
});

describe("a full inbox", () => {
  const many = (h: Harness, count: number, size = 100): Uint8Array =>
    Buffer.concat(Array.from({ length: count }, () => h.text("x".repeat(size))));

  for (const role of ROLES) {
    test(`D10: the Close reaches a ${role} without a reader, after a few thousand messages, and none is lost`, async () => {
      const h = new Harness({ role });
      h.transport.arrive(many(h, 4_000));
      h.transport.arrive(h.close(1000));
      h.clock.advance(0);
      assert.equal(h.transport.isPaused, true);
      assert.equal(h.connection.state, "open");
      h.clock.advance(2_000);
      assert.deepEqual(h.sent(), ["CLOSE 1000"]);
      h.transport.eof();
      assert.equal((await h.end()).clean, true);
      for (let count = 0; count < 4_000; count++) assert.equal((await h.connection.recv()).length, 100);
      h.assertGone();
    });

    test(`D10, E4: after megabytes it arrives after 5 s, in bounded memory; a later reader gets an error that states what is missing`, async () => {
      const warnings: string[] = [];
      const silent = (): void => undefined;
      const warn = (text: string): void => void warnings.push(text);
      const logger = { debug: silent, info: silent, error: silent, warn };
      const h = new Harness({ role, logger });
      for (let count = 0; count < 100; count++) h.transport.arrive(many(h, 1_000));
      h.transport.arrive(h.close(1000));
      h.clock.advance(4_999);
      assert.deepEqual([h.transport.isPaused, h.connection.state, warnings.length], [true, "open", 0]);
      h.clock.advance(1_001);
      assert.deepEqual(h.sent(), ["CLOSE 1000"]);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", /dropped.*discard\(\)/);
      h.transport.eof();
      const { clean, evidence } = await h.end();
      assert.deepEqual([clean, evidence.messagesReceived], [true, 100_000]);
      let read = 0;
      await assert.rejects(
        async () => {
          for await (const _ of h.connection) read++;
        },
        { name: "InvalidStateError", message: /so that \d+ messages were dropped/ },
      );
      assert(read > 10_000 && read * 132 <= 2 * 1024 * 1024 + 132, `${read} messages were kept`);
    });

    test(`E4: a slow reader of a ${role} gets every message before the Close, however slow it is`, async () => {
      const h = new Harness({ role, maxQueue: { messages: 4, bytes: 8_000 } });
      // More than twice what the inbox may hold.
      for (let count = 0; count < 60; count++) h.transport.arrive(h.text(String(count).padEnd(3_000)));
      h.transport.arrive(h.close(1000));
      const seen: unknown[] = [];
      for (let count = 0; count < 60; count++) {
        h.clock.advance(0);
        seen.push(String(await h.connection.recv()).trimEnd());
        if (count === 20) h.clock.advance(60_000);
        else h.clock.advance(700);
        assert.equal(h.connection.state, count < 35 ? "open" : h.connection.state);
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 60 }, (_, index) => String(index)),
      );
      h.transport.eof();
      h.clock.advance(10_000);
      assert.equal((await h.end()).clean, true);
    });
  }

  test("D10: discard() drops waiting and later messages, delays nothing, and later reads are rejected", async () => {
    const h = new Harness({ maxQueue: 4, pingInterval: 1_000 });
    h.answerPing();
    h.deliver(...NUMBERS.map((text) => h.text(text)));
    assert.equal(h.transport.isPaused, true);
    h.connection.discard();
    h.connection.discard();
    assert.equal(h.transport.isPaused, false);
    h.deliver(...NUMBERS.map((text) => h.text(text)), h.ping("?"));
    assert.deepEqual(h.sent(), ["PONG ?"]);
    const expected = {
      name: "InvalidStateError",
      code: "ERR_HOLDFAST_INVALID_STATE",
      message: /after discard\(\)/,
    };
    await assert.rejects(h.connection.recv(), expected);
    await assert.rejects(
      h.connection.forEach(() => undefined),
      expected,
    );
    await assert.rejects(h.connection[Symbol.asyncIterator]().next(), expected);
    await assert.rejects(h.connection.recvStream().next(), expected);
    h.deliver(h.close(1000));
    h.clock.turn();
    assert.deepEqual(h.sent(), ["CLOSE 1000"]);
    h.transport.eof();
    const info = await h.end();
    assert.deepEqual([info.clean, info.evidence.messagesReceived], [true, 200]);
    await assert.rejects(h.connection.recv(), expected);
    h.connection.discard();
    h.assertGone();
  });

  test("D10: discard() after seconds without a reader ends the pause, and nothing is logged as dropped", () => {
    const warnings: string[] = [];
    const silent = (): void => undefined;
    const warn = (text: string): void => void warnings.push(text);
    const h = new Harness({ logger: { debug: silent, info: silent, error: silent, warn } });
    const pauses: object[] = [];
    h.connection.on("paused", (event) => pauses.push(event));
    h.connection.on("resumed", (event) => pauses.push(event));
    h.deliver(many(h, 2_000));
    h.clock.advance(2_000); // The inbox accepts more messages than `maxQueue`.
    h.connection.discard();
    assert.deepEqual(pauses, [{ messages: 1_025, bytes: 102_500 }, { duration: 2_000 }]);
    h.clock.advance(10_000);
    assert.deepEqual(warnings, []);
    h.connection.terminate();
    h.clock.turn();
    h.assertGone();
  });

  test("D10: discard() is rejected during a read, and then changes nothing", async () => {
    const h = new Harness();
    const pending = h.connection.recv();
    assert.throws(() => h.connection.discard(), { name: "ConcurrencyError" });
    h.deliver(h.text("a"));
    assert.equal(await pending, "a");
    h.deliver(h.text("b"));
    for await (const message of h.connection) {
      assert.equal(message, "b");
      assert.throws(() => h.connection.discard(), { name: "ConcurrencyError" });
      break;
    }
    h.connection.discard();
  });
});
