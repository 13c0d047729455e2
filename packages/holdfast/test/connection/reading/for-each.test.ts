import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message } from "../../../build/connection/reading/inbox.js";
import { follow, Harness } from "../harness.js";

const PENDING = { status: "pending" };
const unexpected = () => assert.fail("There was no message to come");

describe("Connection.forEach()", () => {
  test("D3: forEach delivers one message at a time, and awaits the callback", async () => {
    const h = new Harness();
    const log: string[] = [];
    const resolves: (() => void)[] = [];
    const done = follow(
      h.connection.forEach((message) => {
        log.push(String(message));
        return message === "sync" ? undefined : new Promise<void>((resolve) => resolves.push(resolve));
      }),
    );
    h.deliver(h.text("sync"), h.text("a"), h.text("b"), h.text("sync"), h.text("c"));
    assert.deepEqual(log, ["sync", "a"]);
    resolves.shift()?.();
    await h.clock.settle();
    assert.deepEqual(log, ["sync", "a", "b"]);
    h.deliver(h.close(1000));
    h.transport.eof();
    h.clock.advance(5_000); // Half of closeTimeout is how long the peer's Close waits for the callback.
    await h.end();
    assert.deepEqual(done.outcome, PENDING, "what was received before the end comes first");
    resolves.shift()?.();
    await h.clock.settle();
    assert.deepEqual(log, ["sync", "a", "b", "sync", "c"]);
    resolves.shift()?.();
    await h.clock.settle();
    assert.deepEqual(done.outcome, { status: "fulfilled", value: h.ends[0] });
  });

  test("D3: forEach rejects with the error of its callback; the connection stays open, and nothing is lost", async () => {
    for (const fail of [
      () => {
        throw new Error("no");
      },
      () => Promise.reject(new Error("no")),
    ]) {
      const h = new Harness();
      const done = follow(h.connection.forEach(fail));
      h.deliver(h.text("a"), h.text("b"));
      await h.clock.settle();
      assert.deepEqual(done.outcome, { status: "rejected", error: new Error("no") });
      assert.deepEqual([h.connection.state, await h.connection.recv()], ["open", "b"]);
    }
  });

  test("E7: an abort ends forEach at once; the next reader gets the current message", async () => {
    const h = new Harness();
    const aborter = new AbortController();
    const log: Message[] = [];
    let finish: () => void = () => undefined;
    const done = follow(
      h.connection.forEach(
        (message) => {
          log.push(message);
          return new Promise<void>((resolve) => (finish = resolve));
        },
        { signal: aborter.signal },
      ),
    );
    h.deliver(h.text("a"), h.text("b"));
    const reason = new Error("enough");
    aborter.abort(reason);
    await h.clock.settle();
    assert.deepEqual(done.outcome, { status: "rejected", error: reason });
    const next = follow(h.connection.recv());
    finish();
    await h.clock.settle();
    assert.deepEqual([log, next.outcome], [["a"], { status: "fulfilled", value: "b" }]);
    await assert.rejects(
      h.connection.forEach(unexpected, { signal: aborter.signal }),
      (error) => error === reason,
    );
    // @ts-expect-error Callers without types may pass anything.
    await assert.rejects(h.connection.forEach(5), {
      name: "InvalidArgumentError",
      message: "Expected `callback` to be a function, got 5 (number).",
    });
  });

  test("D8: a callback that ends the connection still gets the messages received before", async () => {
    const h = new Harness();
    const log: Message[] = [];
    const done = follow(
      h.connection.forEach((message) => {
        log.push(message);
        if (message === "b") h.connection.terminate();
      }),
    );
    h.deliver(h.text("a"), h.text("b"), h.text("c"));
    const info = await h.end();
    assert.deepEqual([log, done.outcome], [["a", "b"], { status: "fulfilled", value: info }]);
    assert.equal(info.evidence.messagesReceived, 2);
  });
});
