import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { keepalive, type Connection } from "../../build/index.js";
import { follow, Harness, ROLES } from "../connection/harness.js";

const EVERY_SECOND = { interval: 1_000, message: (n: number) => `beat ${n}` };

function assertNothingWaits({ connection, runtime }: Harness, ...signals: AbortSignal[]): void {
  const listeners = [connection.signal, ...signals].map(
    (signal) => getEventListeners(signal, "abort").length,
  );
  assert.deepEqual(
    { alarms: runtime.timers.size, listeners },
    { alarms: 0, listeners: listeners.map(() => 0) },
  );
}

describe("keepalive()", () => {
  for (const role of ROLES) {
    test(`C18: a ${role} sends the first message at once and one each interval, text or bytes`, async () => {
      const h = new Harness({ role });
      const message = (n: number) => (n % 2 === 0 ? `{"beat":${n}}` : Buffer.from("bytes"));
      const running = follow(keepalive(h.connection, { interval: 1_000, message }));
      await h.clock.settle();
      assert.deepEqual(h.sent(), ['TEXT {"beat":0}']);
      for (const expected of ["BINARY bytes", 'TEXT {"beat":2}', "BINARY bytes"]) {
        await h.clock.advanceAsync(999);
        assert.deepEqual(h.sent(), []);
        await h.clock.advanceAsync(1);
        assert.deepEqual(h.sent(), [expected]);
      }
      assert.deepEqual(running.outcome, { status: "pending" });
    });
  }

  test("C18: occasional blocking of the loop does not move the grid, and causes no burst", async () => {
    const h = new Harness();
    void keepalive(h.connection, EVERY_SECOND);
    await h.clock.advanceAsync(1_500);
    h.clock.stall(3_200); // Until 4,700: one message for the three slots that passed.
    await h.clock.settle();
    assert.deepEqual(h.sent(), ["TEXT beat 0", "TEXT beat 1", "TEXT beat 2"]);
    await h.clock.advanceAsync(299);
    assert.deepEqual(h.sent(), []);
    await h.clock.advanceAsync(1);
    assert.deepEqual(h.sent(), ["TEXT beat 3"]);
  });

  test("C18: over a thousand intervals it does not drift", async () => {
    const h = new Harness();
    const at: number[] = [];
    const message = () => {
      at.push(h.clock.now());
      return "";
    };
    void keepalive(h.connection, { interval: 100, message });
    for (let count = 0; count < 1_000; count++) {
      await h.clock.advanceAsync(100);
      if (count % 7 === 0) h.clock.stall(30);
    }
    // One message per slot, except the last, which is still to come; none is later than the time that was blocked.
    const slots = at.map((time) => Math.floor(time / 100));
    assert.deepEqual(slots, [...Array(slots.length).keys()]);
    assert.deepEqual(
      at.filter((time) => time % 100 > 30),
      [],
    );
    assert.equal(slots.length, Math.floor(h.clock.now() / 100) + 1);
  });

  test("C18: a message that waits for a full write buffer makes the slots it misses be skipped", async () => {
    const h = new Harness({ capacity: 0, writeLimit: 10 });
    void keepalive(h.connection, { interval: 1_000, message: (n) => `number ${n} is long` });
    await h.clock.advanceAsync(3_400);
    h.transport.setCapacity(Infinity);
    h.transport.drain();
    await h.clock.settle();
    // The socket holds the first, the outbox the second; no message was created for seconds 2 and 3.
    assert.deepEqual(h.sent(), ["TEXT number 0 is long", "TEXT number 1 is long"]);
    await h.clock.advanceAsync(599);
    assert.deepEqual(h.sent(), []);
    await h.clock.advanceAsync(1);
    assert.deepEqual(h.sent(), ["TEXT number 2 is long"]);
  });

  const ends: Readonly<Record<string, (h: Harness) => void>> = {
    "the peer's Close": (h) => {
      h.deliver(h.close(1000));
      h.transport.eof();
    },
    "a lost network": (h) => h.transport.fail(),
    "terminate()": (h) => h.connection.terminate(),
  };
  for (const [name, end] of Object.entries(ends)) {
    for (const [phase, capacity] of [
      ["sleeps", Infinity],
      ["waits for the socket", 0],
    ] as const) {
      test(`C18: it resolves at ${name} while it ${phase}, at once, and leaves nothing`, async () => {
        const h = new Harness({ capacity, writeLimit: 1 });
        const running = follow(keepalive(h.connection, EVERY_SECOND));
        await h.clock.advanceAsync(1_300);
        end(h);
        h.transport.setCapacity(Infinity);
        h.transport.drain();
        await h.clock.settle();
        assert.equal(h.clock.now(), 1_300);
        assert.deepEqual(running.outcome, { status: "fulfilled", value: undefined });
        assertNothingWaits(h);
        h.assertGone();
      });
    }
  }

  test("C18: on a connection that is closing it sends nothing, and resolves at the end", async () => {
    const h = new Harness();
    void h.connection.close();
    const running = follow(keepalive(h.connection, EVERY_SECOND));
    await h.clock.advanceAsync(9_999);
    assert.deepEqual([h.sent(), running.outcome.status], [["CLOSE 1000"], "pending"]);
    await h.clock.advanceAsync(1);
    assert.equal(running.outcome.status, "fulfilled");
    let calls = 0;
    await keepalive(h.connection, { interval: 1, message: () => String(calls++) });
    assert.equal(calls, 0);
  });

  test("C18: a message() that throws rejects it, and nothing is sent any more", async () => {
    const h = new Harness();
    const running = keepalive(h.connection, {
      interval: 1_000,
      message: (n) => {
        if (n === 2) throw new Error("no more");
        return `beat ${n}`;
      },
    });
    const followed = follow(running);
    await h.clock.advanceAsync(10_000);
    assert.equal(followed.outcome.status, "rejected");
    await assert.rejects(running, new Error("no more"));
    assert.deepEqual(h.sent(), ["TEXT beat 0", "TEXT beat 1"]);
    assert.equal(h.connection.state, "open");
    assertNothingWaits(h);
  });

  test("C18: the end of another connection, thrown in message(), is an error like any other", async () => {
    const other = new Harness();
    other.transport.fail();
    await other.end();
    const reason = other.connection.signal.reason as Error;
    const h = new Harness();
    const message = () => {
      throw reason;
    };
    await assert.rejects(keepalive(h.connection, { interval: 1_000, message }), (error) => error === reason);
  });

  test("C18: an abort rejects it with the signal's reason at once, and leaves nothing", async () => {
    const h = new Harness();
    const aborter = new AbortController();
    const running = follow(keepalive(h.connection, { ...EVERY_SECOND, signal: aborter.signal }));
    await h.clock.advanceAsync(1_300);
    const reason = new Error("enough");
    aborter.abort(reason);
    await h.clock.settle();
    assert.deepEqual(running.outcome, { status: "rejected", error: reason });
    assertNothingWaits(h, aborter.signal);
    h.sent();
    await assert.rejects(
      keepalive(h.connection, { ...EVERY_SECOND, signal: aborter.signal }),
      (error) => error === reason,
    );
    assert.deepEqual(h.sent(), []);
    assert.equal(h.connection.state, "open");
  });

  const DURATION = "a positive number of milliseconds (at most 2147483647)";
  const refused: readonly (readonly [options: object, message: string])[] = [
    [{ interval: 0, message: () => "" }, `Expected \`interval\` to be ${DURATION}, got 0 (number).`],
    [{ message: () => "" }, `Expected \`interval\` to be ${DURATION}, got undefined.`],
    [{ interval: 5 }, "Expected `message` to be a function, got undefined."],
    [{ interval: 5, message: "beat" }, 'Expected `message` to be a function, got "beat" (string).'],
    [
      { interval: 5, message: async () => "" },
      "Expected `message()` to be a string or bytes, got a promise.",
    ],
    [{ interval: 5, message: () => 5 }, "Expected `message()` to be a string or bytes, got 5 (number)."],
    [
      { interval: 5, message: () => ["a", "b"] },
      "Expected `message()` to be a string or bytes, got an array.",
    ],
    [{ ...EVERY_SECOND, signal: {} }, "Expected `signal` to be an AbortSignal, got an object."],
  ];
  for (const [options, message] of refused) {
    test(`A8: it refuses what gives "${message}", and sends nothing`, async () => {
      const h = new Harness();
      // Callers without types may pass anything.
      await assert.rejects(keepalive(h.connection, options as typeof EVERY_SECOND), {
        name: "InvalidArgumentError",
        message,
      });
      assert.deepEqual(h.sent(), []);
      assert.equal(h.connection.state, "open");
    });
  }
});

/** Compiled but never called: checks the types. */
export async function types(connection: Connection, signal: AbortSignal): Promise<void> {
  const running: Promise<void> = keepalive(connection, { interval: 1, message: () => "" });
  await running;
  void keepalive(connection, { interval: 1, message: (n: number) => new Uint8Array(n), signal });
  // @ts-expect-error The interval cannot be null.
  void keepalive(connection, { interval: null, message: () => "" });
  // @ts-expect-error The message function is synchronous, so that the message is not outdated when it is sent.
  void keepalive(connection, { interval: 1, message: async () => "" });
}
