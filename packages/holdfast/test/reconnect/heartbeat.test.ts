import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { heartbeat, withHeartbeat, type Connection } from "../../build/index.js";
import { follow, Harness, ROLES } from "../connection/harness.js";

const TIMES = { timeout: 500, interval: 2_000 };
const DURATION = "a positive number of milliseconds (at most 2147483647)";

/** Asserts that nothing is pending: no alarm, no listener, no ping. */
function assertNothingWaits({ connection, runtime }: Harness, ...signals: AbortSignal[]): void {
  const listeners = [connection.signal, ...signals].map(
    (signal) => getEventListeners(signal, "abort").length,
  );
  assert.deepEqual(
    { alarms: runtime.timers.size, listeners },
    { alarms: 0, listeners: listeners.map(() => 0) },
  );
}

/** Lets `latency` pass and answers the ping that was sent. */
async function answerAfter(h: Harness, latency: number): Promise<void> {
  await h.clock.advanceAsync(latency);
  h.answerPing();
  await h.clock.settle();
}

function tooSlow(timeout: number) {
  return {
    name: "TooSlowError",
    code: "ERR_HOLDFAST_TOO_SLOW",
    message: `Expected the pong of a ping within ${timeout} ms, got none. The connection is still open.`,
    timeout,
  };
}

describe("heartbeat()", () => {
  for (const role of ROLES) {
    test(`C17: a ${role} pings at once, waits for the pong, sleeps the interval, and begins anew`, async () => {
      const h = new Harness({ role });
      const beating = follow(heartbeat(h.connection, TIMES));
      for (const latency of [400, 0, 120, 499]) {
        await answerAfter(h, latency);
        await h.clock.advanceAsync(1_999);
        assert.deepEqual(h.sent(), []);
        await h.clock.advanceAsync(1);
      }
      assert.equal(h.clock.now(), 4 * 2_000 + 400 + 120 + 499);
      assert.deepEqual(h.sent(), ["PING (8 bytes)"]);
      assert.deepEqual(beating.outcome, { status: "pending" });
      assert.equal(h.connection.latency, 499);
    });
  }

  test("C17: a pong that does not come within the timeout is a TooSlowError, exactly then; the connection stays open", async () => {
    const h = new Harness();
    const beating = heartbeat(h.connection, TIMES);
    await answerAfter(h, 10);
    await h.clock.advanceAsync(2_000);
    const followed = follow(beating);
    await h.clock.advanceAsync(499);
    assert.deepEqual(followed.outcome, { status: "pending" });
    await h.clock.advanceAsync(1);
    await assert.rejects(beating, tooSlow(500));
    assert.equal(h.connection.state, "open");
    assertNothingWaits(h);
  });

  test("C17: data of the peer is no pong", async () => {
    const h = new Harness();
    const beating = heartbeat(h.connection, TIMES);
    for (let count = 0; count < 5; count++) {
      h.deliver(h.text("busy"), h.pong("stranger"));
      await h.clock.advanceAsync(100);
    }
    await assert.rejects(beating, tooSlow(500));
  });

  test("C17, C7: a ping that a full write buffer holds back is too slow on time", async () => {
    const h = new Harness({ capacity: 0 });
    void h.connection.send("x".repeat(100_000)).catch(() => undefined);
    h.clock.turn();
    const beating = heartbeat(h.connection, TIMES);
    await h.clock.advanceAsync(500);
    await assert.rejects(beating, tooSlow(500));
  });

  test("C17: `timeout: null` waits as long as it takes", async () => {
    const h = new Harness();
    const beating = follow(heartbeat(h.connection, { timeout: null, interval: 1_000 }));
    await answerAfter(h, 3_600_000);
    assert.deepEqual(beating.outcome, { status: "pending" });
    await h.clock.advanceAsync(1_000);
    assert.deepEqual(h.sent(), ["PING (8 bytes)"]);
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
    for (const phase of ["ping", "sleep"] as const) {
      test(`C17: ${name} during the ${phase} rejects it with ConnectionClosed at once, and leaves nothing`, async () => {
        const h = new Harness();
        const beating = follow(heartbeat(h.connection, TIMES));
        if (phase === "sleep") await answerAfter(h, 10);
        await h.clock.advanceAsync(100);
        const at = h.clock.now();
        end(h);
        await h.clock.settle();
        assert.equal(h.clock.now(), at);
        assert.equal(h.connection.signal.aborted, true);
        assert.deepEqual(beating.outcome, { status: "rejected", error: h.connection.signal.reason as Error });
        assertNothingWaits(h);
        h.assertGone();
      });

      test(`C17: an abort during the ${phase} rejects it with the signal's reason at once, and leaves nothing`, async () => {
        const h = new Harness();
        const aborter = new AbortController();
        const beating = follow(heartbeat(h.connection, { ...TIMES, signal: aborter.signal }));
        if (phase === "sleep") await answerAfter(h, 10);
        await h.clock.advanceAsync(100);
        const reason = new Error("enough");
        aborter.abort(reason);
        await h.clock.settle();
        assert.deepEqual(beating.outcome, { status: "rejected", error: reason });
        assert.equal(h.connection.state, "open");
        assertNothingWaits(h, aborter.signal);
      });
    }
  }

  test("C17: on a connection that is closing it waits for the end, or for an abort", async () => {
    const h = new Harness();
    void h.connection.close();
    const aborter = new AbortController();
    const aborted = follow(heartbeat(h.connection, { ...TIMES, signal: aborter.signal }));
    const beating = follow(heartbeat(h.connection, TIMES));
    await h.clock.advanceAsync(5_000);
    aborter.abort("enough");
    await h.clock.settle();
    assert.deepEqual(aborted.outcome, { status: "rejected", error: "enough" });
    assert.deepEqual(beating.outcome, { status: "pending" });
    await h.clock.advanceAsync(5_000);
    const reason = h.connection.signal.reason as Error;
    assert.deepEqual(beating.outcome, { status: "rejected", error: reason });
    await assert.rejects(heartbeat(h.connection, TIMES), (error) => error === reason);
    assertNothingWaits(h, aborter.signal);
  });

  test("C17: a rejection that nobody awaits does not end the process", async () => {
    const h = new Harness();
    void heartbeat(h.connection, TIMES);
    await h.clock.advanceAsync(500);
    void heartbeat(h.connection, TIMES);
    h.transport.fail();
    await h.clock.settle(); // An unhandled rejection would fail the test here.
    h.assertGone();
  });

  test("C8, C17: a loop blocked for much longer than the timeout, with the pong in the kernel, is not too slow", async () => {
    for (const stall of [400, 800, 60_000]) {
      const h = new Harness();
      const beating = follow(heartbeat(h.connection, TIMES));
      await h.clock.advanceAsync(100);
      const [ping] = h.sentFrames();
      h.transport.arrive(h.pong(ping.payload));
      h.clock.stall(stall);
      await h.clock.settle();
      assert.deepEqual(beating.outcome, { status: "pending" });
      await h.clock.advanceAsync(2_000);
      assert.deepEqual(h.sent(), ["PING (8 bytes)"]);
    }
  });

  test("C8, C17: a blocked loop does not save a peer that is mute: the timeout runs again, once", async () => {
    const h = new Harness();
    const beating = follow(heartbeat(h.connection, TIMES));
    await h.clock.advanceAsync(100);
    h.clock.stall(60_000);
    await h.clock.advanceAsync(499);
    assert.deepEqual(beating.outcome, { status: "pending" });
    await h.clock.advanceAsync(1);
    assert.equal(beating.outcome.status, "rejected");
  });

  test("C10, C17: while our own inbox is full and reading is paused, the peer is not too slow", async () => {
    const h = new Harness({ maxQueue: { messages: 2, bytes: 1_000 } });
    const beating = follow(heartbeat(h.connection, TIMES));
    await h.clock.advanceAsync(1);
    const [ping] = h.sentFrames();
    h.deliver(h.text("0"));
    await h.connection.recv();
    h.deliver(h.text("1".repeat(70_000)), h.text("2"), h.text("3"));
    h.transport.arrive(h.pong(ping.payload));
    await h.clock.advanceAsync(60_000);
    assert.deepEqual(beating.outcome, { status: "pending" });
    for (let count = 0; count < 3; count++) await h.connection.recv();
    await h.clock.advanceAsync(2_000);
    assert.deepEqual(beating.outcome, { status: "pending" });
    assert.deepEqual(h.sent(), ["PING (8 bytes)"]);
  });

  test("C16, C17: a thousand heartbeats share one timer", async () => {
    const first = new Harness();
    const shared = { clock: first.clock, runtime: first.runtime };
    for (let count = 0; count < 1_000; count++) {
      const h = new Harness({ shared });
      void heartbeat(h.connection, TIMES);
      if (count % 2 === 0) h.answerPing();
      await Promise.resolve();
    }
    await first.clock.settle();
    assert.equal(first.clock.pendingTimers, 1);
  });

  const refused: readonly (readonly [unknown, string])[] = [
    [{ timeout: 0, interval: 1 }, `Expected \`timeout\` to be ${DURATION}, got 0 (number).`],
    [{ timeout: "1s", interval: 1 }, `Expected \`timeout\` to be ${DURATION}, got "1s" (string).`],
    [{ interval: 1 }, `Expected \`timeout\` to be ${DURATION}, got undefined.`],
    [{ timeout: 1 }, `Expected \`interval\` to be ${DURATION}, got undefined.`],
    [{ timeout: 1, interval: null }, `Expected \`interval\` to be ${DURATION}, got null.`],
    [{ timeout: 1, interval: NaN }, `Expected \`interval\` to be ${DURATION}, got NaN (number).`],
    [{ timeout: 1, interval: 1, signal: 5 }, "Expected `signal` to be an AbortSignal, got 5 (number)."],
  ];
  for (const [options, message] of refused) {
    test(`A8: both recipes reject ${JSON.stringify(options)}, and send no ping`, async () => {
      const h = new Harness();
      let calls = 0;
      const error = { name: "InvalidArgumentError", message };
      // Callers without types may pass anything.
      await assert.rejects(heartbeat(h.connection, options as typeof TIMES), error);
      await assert.rejects(
        withHeartbeat(h.connection, options as typeof TIMES, () => calls++),
        error,
      );
      await h.clock.settle();
      assert.deepEqual([h.sent(), calls], [[], 0]);
    });
  }
});

describe("withHeartbeat()", () => {
  test("C17: it resolves with what the body returns, and the heartbeat stops in the same turn", async () => {
    const h = new Harness();
    const result = withHeartbeat(h.connection, TIMES, async (signal) => {
      const message = await h.connection.recv({ signal });
      return { message, signal };
    });
    await answerAfter(h, 10);
    h.deliver(h.text("hello"));
    const { message, signal } = await result;
    assert.equal(message, "hello");
    assert.equal(signal.aborted, false);
    await h.clock.settle();
    assert.equal(signal.aborted, false, "the remaining work of the body may continue");
    assertNothingWaits(h, signal);
    await h.clock.advanceAsync(60_000);
    assert.deepEqual(h.sent(), []);
    assert.equal(h.connection.state, "open");
  });

  test("C17: the body's error, thrown or rejected, is the error, and the heartbeat stops", async () => {
    for (const body of [
      () => {
        throw new Error("at once");
      },
      () => Promise.reject(new Error("at once")),
    ]) {
      const h = new Harness();
      await assert.rejects(withHeartbeat(h.connection, TIMES, body), new Error("at once"));
      await h.clock.settle();
      assertNothingWaits(h);
    }
  });

  test("C17: a heartbeat that fails aborts the body with its TooSlowError, and rejects with it", async () => {
    const h = new Harness();
    let reason: unknown = null;
    const result = withHeartbeat(h.connection, TIMES, async (signal) => {
      try {
        return await h.connection.recv({ signal });
      } catch (error) {
        reason = error;
        throw error;
      }
    });
    const followed = follow(result);
    await h.clock.advanceAsync(499);
    assert.deepEqual([followed.outcome.status, reason], ["pending", null]);
    await h.clock.advanceAsync(1);
    await assert.rejects(result, tooSlow(500));
    await assert.rejects(result, (error) => error === reason);
    assert.equal(h.connection.state, "open");
    assertNothingWaits(h);
  });

  test("C17: withHeartbeat() does not wait for a body that ignores its signal, and ignores its result", async () => {
    for (const outcome of ["value", "error"] as const) {
      const h = new Harness();
      const late = deferred();
      const result = withHeartbeat(h.connection, TIMES, () => late.promise);
      const followed = follow(result);
      await h.clock.advanceAsync(500);
      assert.equal(followed.outcome.status, "rejected");
      if (outcome === "value") late.resolve("too late");
      else late.reject(new Error("too late"));
      await h.clock.settle(); // An unhandled rejection would fail the test here.
      await assert.rejects(result, tooSlow(500));
    }
  });

  test("C17: when the connection closes as it should, a loop over its messages ends quietly, with all of them", async () => {
    const h = new Harness();
    const messages: unknown[] = [];
    let reason: unknown = null;
    const result = withHeartbeat(h.connection, TIMES, async (signal) => {
      signal.addEventListener("abort", () => {
        reason = signal.reason;
      });
      for await (const message of h.connection) {
        messages.push(message);
        await nextTurn();
      }
      return "read to the end";
    });
    await answerAfter(h, 10);
    h.deliver(h.text("1"), h.text("2"), h.text("3"), h.close(1000));
    h.transport.eof();
    for (let turn = 0; turn < 10; turn++) {
      await nextTurn();
      await h.clock.settle();
    }
    assert.equal(await result, "read to the end");
    assert.equal(reason, h.connection.signal.reason);
    assert.deepEqual(messages, ["1", "2", "3"]);
    h.assertGone();
    assertNothingWaits(h);
  });

  test("C17: when it is lost, the body's signal aborts with ConnectionClosed, and the body ends with that", async () => {
    const h = new Harness();
    const result = withHeartbeat(
      h.connection,
      TIMES,
      (signal) =>
        new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    );
    const followed = follow(result);
    await answerAfter(h, 10);
    h.transport.fail();
    await h.clock.settle();
    assert.equal(followed.outcome.status, "rejected");
    await assert.rejects(result, { name: "ConnectionClosedError" });
    await assert.rejects(result, (error) => error === h.connection.signal.reason);
    h.assertGone();
    assertNothingWaits(h);
  });

  test("C17: the caller's abort stops the body and the heartbeat, with its reason", async () => {
    const h = new Harness();
    const aborter = new AbortController();
    const seen: unknown[] = [];
    const result = withHeartbeat(h.connection, { ...TIMES, signal: aborter.signal }, (signal) => {
      signal.addEventListener("abort", () => seen.push(signal.reason));
      return new Promise<never>(() => undefined);
    });
    await answerAfter(h, 10);
    aborter.abort("enough");
    await assert.rejects(result, (error) => error === "enough");
    assert.deepEqual(seen, ["enough"]);
    assertNothingWaits(h, aborter.signal);
    let calls = 0;
    await assert.rejects(
      withHeartbeat(h.connection, { ...TIMES, signal: aborter.signal }, () => calls++),
      (error) => error === "enough",
    );
    assert.equal(calls, 0);
  });

  test("A8: a body that is no function is refused", async () => {
    const h = new Harness();
    // @ts-expect-error Callers without types may pass anything.
    await assert.rejects(withHeartbeat(h.connection, TIMES, "body"), {
      name: "InvalidArgumentError",
      message: 'Expected `body` to be a function, got "body" (string).',
    });
  });
});

function deferred() {
  let resolve: (value: string) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<string>((resolvePromise, rejectPromise) => {
    resolve = resolvePromise;
    reject = rejectPromise;
  });
  return { promise, resolve, reject };
}

/** Compiled but never called: checks the types. */
export async function types(connection: Connection, signal: AbortSignal): Promise<void> {
  const never: Promise<never> = heartbeat(connection, { timeout: 1, interval: 1 });
  void heartbeat(connection, { timeout: null, interval: 1, signal });
  void heartbeat(connection, { timeout: 1, interval: 1, signal: undefined });
  const text: string = await withHeartbeat(connection, TIMES, async (own: AbortSignal) =>
    String(own.aborted),
  );
  const count: number = await withHeartbeat(connection, TIMES, () => 5);
  // @ts-expect-error Both durations are required.
  void heartbeat(connection, { interval: 1 });
  // @ts-expect-error The interval is required.
  void heartbeat(connection, { timeout: 1, interval: null });
  // @ts-expect-error A heartbeat needs a connection.
  void heartbeat({ ping: () => Promise.resolve(1) }, TIMES);
  // @ts-expect-error The result is the body's.
  const wrong: string = await withHeartbeat(connection, TIMES, () => 5);
  assert.ok([text, count, wrong]);
  return never;
}
