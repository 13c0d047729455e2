import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import type { Message } from "../../../build/connection/reading/inbox.js";
import { follow, Harness, summary } from "../harness.js";

const PENDING = { status: "pending" };

/** Consumes a connection with `for await`; returns the received messages, and how the loop ended. */
function iterate(h: Harness) {
  const messages: Message[] = [];
  const loop = (async () => {
    for await (const message of h.connection) messages.push(message);
    return "ended quietly";
  })();
  return { messages, loop: follow(loop) };
}

const unexpected = () => assert.fail("There was no message to come");

const endsWell = async (h: Harness) => {
  h.deliver(h.close(1000));
  h.transport.eof();
  return await h.end();
};
const endsBadly = async (h: Harness) => {
  h.transport.fail();
  return await h.end();
};

describe("Reading", () => {
  test("D3: recv returns text as strings and binary as Uint8Array, in order, waiting or not", async () => {
    const h = new Harness({ role: "server" });
    const first = follow(h.connection.recv());
    await h.clock.settle();
    assert.deepEqual(first.outcome, PENDING);
    h.deliver(h.text("é"), h.binary("\x00\xff"), h.text(""));
    await h.clock.settle();
    assert.deepEqual(first.outcome, { status: "fulfilled", value: "é" });
    assert.deepEqual(await h.connection.recv(), Uint8Array.of(0, 255));
    assert.equal(await h.connection.recv(), "");
  });

  test("D3, D8: after a good end, what was received can be read, then recv and forEach report the end, and the loop ends normally", async () => {
    for (const code of [1000, 1001, undefined]) {
      const h = new Harness();
      h.deliver(h.text("a"), h.text("b"), h.close(code));
      h.transport.eof();
      const info = await h.end();
      assert.equal(info.ok, true);
      assert.deepEqual(await h.connection.recv(), "a");
      const { messages, loop } = iterate(h);
      await h.clock.settle();
      assert.deepEqual([messages, loop.outcome], [["b"], { status: "fulfilled", value: "ended quietly" }]);
      await assert.rejects(h.connection.recv(), {
        name: "ConnectionClosedOK",
        code: "ERR_HOLDFAST_CLOSED_OK",
        info,
      });
      assert.equal(await h.connection.forEach(unexpected), info);
    }
  });

  test("D3, D8: after a bad end, what was received can be read, then recv and the loop throw, and forEach returns the CloseInfo", async () => {
    const h = new Harness();
    h.deliver(h.text("a"), h.text("b"), h.text("c"));
    const info = await endsBadly(h);
    assert.equal(await h.connection.recv(), "a");
    const { messages, loop } = iterate(h);
    await h.clock.settle();
    const error = h.connection.signal.reason as Error;
    assert.deepEqual([messages, loop.outcome], [["b", "c"], { status: "rejected", error }]);
    await assert.rejects(h.connection.recv(), (reason) => reason === error);
    assert.equal(await h.connection.forEach(unexpected), info);
    assert.deepEqual(
      { name: error.name, message: error.message, ...(error as unknown as { info: object; code: string }) },
      { name: "ConnectionClosedError", message: info.message, code: "ERR_HOLDFAST_CLOSED_ERROR", info },
    );
    assert.equal(error.cause, info.error);
    assert.equal(summary(info).cause, "reset");
  });

  test("D3: after a clean end with another code the loop throws", async () => {
    const h = new Harness();
    const { loop } = iterate(h);
    h.deliver(h.close(4000, "no"));
    h.transport.eof();
    const info = await h.end();
    assert.deepEqual([info.clean, info.ok, loop.outcome.status], [true, false, "rejected"]);
  });

  test("D3: waiting readers settle in the turn of the end", async () => {
    for (const [end, loopStatus, error] of [
      [endsWell, "fulfilled", "ConnectionClosedOK"],
      [endsBadly, "rejected", "ConnectionClosedError"],
    ] as const) {
      const [receiving, looping, consuming] = [new Harness(), new Harness(), new Harness()];
      const recv = follow(receiving.connection.recv());
      const { loop } = iterate(looping);
      const forEach = follow(consuming.connection.forEach(unexpected));
      for (const h of [receiving, looping, consuming]) await h.clock.settle();
      await end(receiving);
      await end(looping);
      const info = await end(consuming);
      assert(recv.outcome.status === "rejected" && (recv.outcome.error as Error).name === error);
      assert.equal(loop.outcome.status, loopStatus);
      assert.deepEqual(forEach.outcome, { status: "fulfilled", value: info });
    }
  });

  test("E7: a second reader is a ConcurrencyError that says so, and the first loses nothing", async () => {
    const h = new Harness();
    const first = follow(h.connection.recv());
    const seconds: readonly (readonly [what: string, promise: Promise<unknown>])[] = [
      ["recv()", h.connection.recv()],
      ["recv()", h.connection.recv({ timeout: 5 })],
      ["iteration", h.connection[Symbol.asyncIterator]().next()],
      ["forEach()", h.connection.forEach(() => undefined)],
    ];
    for (const [what, promise] of seconds) {
      await assert.rejects(promise, {
        name: "ConcurrencyError",
        code: "ERR_HOLDFAST_CONCURRENCY",
        message: `Expected one reader at a time, got ${what} while another recv(), iteration or forEach() waits for a message.`,
      });
    }
    h.deliver(h.text("a"), h.text("b"));
    await h.clock.settle();
    assert.deepEqual(first.outcome, { status: "fulfilled", value: "a" });
    assert.equal(await h.connection.recv(), "b");
    assert.equal(h.clock.pendingTimers, 0);
  });

  test("E7: a reader that is refused leaves no listener on its signal", async () => {
    const h = new Harness();
    void h.connection.recv().catch(() => undefined);
    const { signal } = new AbortController();
    await assert.rejects(h.connection.recv({ signal }), { name: "ConcurrencyError" });
    await assert.rejects(h.connection.forEach(unexpected, { signal }), { name: "ConcurrencyError" });
    assert.deepEqual(getEventListeners(signal, "abort"), []);
  });

  test("E7: an aborted or timed-out recv loses nothing, and leaves no listener and no alarm", async () => {
    const h = new Harness();
    const aborter = new AbortController();
    const aborted = follow(h.connection.recv({ signal: aborter.signal }));
    const reason = new Error("enough");
    aborter.abort(reason);
    await h.clock.settle();
    assert.deepEqual(aborted.outcome, { status: "rejected", error: reason });
    await assert.rejects(h.connection.recv({ signal: aborter.signal }), (error) => error === reason);

    const timedOut = follow(h.connection.recv({ timeout: 50 }));
    await h.clock.advanceAsync(49);
    assert.deepEqual(timedOut.outcome, PENDING);
    await h.clock.advanceAsync(1);
    assert(timedOut.outcome.status === "rejected");
    const { name, message, code, timeout } = timedOut.outcome.error as Error & {
      code: string;
      timeout: number;
    };
    assert.deepEqual(
      { name, message, code, timeout },
      {
        name: "TooSlowError",
        message: "Expected a message within 50 ms, got none. Nothing is lost: call recv() again.",
        code: "ERR_HOLDFAST_TOO_SLOW",
        timeout: 50,
      },
    );
    const third = follow(h.connection.recv({ timeout: 50, signal: new AbortController().signal }));
    h.deliver(h.text("a"), h.text("b"));
    await h.clock.settle();
    assert.deepEqual(third.outcome, { status: "fulfilled", value: "a" });
    assert.equal(await h.connection.recv({ timeout: 50 }), "b");
    assert.deepEqual([h.runtime.timers.size, h.clock.pendingTimers], [0, 0]);
    await assert.rejects(h.connection.recv({ timeout: 0 }), {
      name: "InvalidArgumentError",
      message:
        "Expected `timeout` to be a positive number of milliseconds (at most 2147483647) or null, got 0 (number).",
    });
  });

  test("E7: leaving the loop keeps the connection open, and the next reader continues after it", async () => {
    const h = new Harness();
    h.deliver(h.text("a"), h.text("b"), h.text("c"));
    for await (const message of h.connection) {
      assert.equal(message, "a");
      break;
    }
    await assert.rejects(
      (async () => {
        for await (const message of h.connection) throw new Error(`stop at ${String(message)}`);
      })(),
      { message: "stop at b" },
    );
    assert.equal(await h.connection.recv(), "c");
    assert.equal(h.connection.state, "open");
  });

  test("E7: leaving the loop while it waits ends its next(), and the next reader gets the next message", async () => {
    const h = new Harness();
    const iterator = h.connection[Symbol.asyncIterator]();
    const next = follow(iterator.next());
    assert.deepEqual(await iterator.return?.(), { value: undefined, done: true });
    await h.clock.settle();
    assert.deepEqual(next.outcome, { status: "fulfilled", value: { value: undefined, done: true } });
    h.deliver(h.text("a"));
    assert.equal(await h.connection.recv(), "a");
  });

  test("E7: an iterator that is left while another one waits does not disturb it", async () => {
    const h = new Harness();
    const [first, second] = [h.connection, h.connection].map((link) => link[Symbol.asyncIterator]());
    const next = first.next();
    await second.return?.();
    h.deliver(h.text("a"));
    assert.deepEqual(await next, { value: "a", done: false });
  });

  test("E7: a stream of Readable.from() that is destroyed loses no message", async () => {
    for (const isAtOnce of [true, false]) {
      const h = new Harness();
      const stream = Readable.from(h.connection);
      h.deliver(h.text("a"));
      const chunks: unknown[] = [];
      stream.on("data", (chunk) => {
        chunks.push(chunk);
        if (isAtOnce) stream.destroy();
        else setImmediate(() => stream.destroy());
      });
      await once(stream, "close");
      h.deliver(h.text("b"));
      assert.deepEqual([chunks, await h.connection.recv()], [["a"], "b"]);
    }
  });
});
