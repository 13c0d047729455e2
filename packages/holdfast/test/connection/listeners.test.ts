import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertLinear } from "holdfast-testkit";
import { Harness } from "./harness.js";

describe("Connection.on()", () => {
  test("G8: a listener that throws is logged, and affects neither other listeners nor the connection", async () => {
    const logged: [string, object | undefined][] = [];
    const ignore = () => undefined;
    const error = (message: string, details?: object) => void logged.push([message, details]);
    const h = new Harness({ logger: { debug: ignore, info: ignore, warn: ignore, error } });
    const told: string[] = [];
    const boom = new Error("boom");
    h.connection.on("ping", () => {
      throw boom;
    });
    h.connection.on("ping", () => told.push("the next listener"));
    h.deliver(h.ping("a"), h.text("the next frame"));
    assert.deepEqual(told, ["the next listener"]);
    h.clock.turn();
    assert.deepEqual(logged, [['a listener of "ping" failed', { error: boom }]]);
    assert.deepEqual(h.sent(), ["PONG a"]);
    assert.equal(await h.connection.recv(), "the next frame");
    assert.equal(h.connection.state, "open");
  });

  test("A8: the function that on() returns removes only that listener, once, also while listeners are called", () => {
    const h = new Harness();
    const told: string[] = [];
    const twice = () => told.push("twice");
    const removeFirst = h.connection.on("ping", () => {
      told.push("first");
      removeFirst();
      removeSecond();
    });
    const removeSecond = h.connection.on("ping", () => told.push("second"));
    const removeTwice = h.connection.on("ping", twice);
    h.connection.on("ping", twice);
    const take = () => told.splice(0);
    h.deliver(h.ping("a"));
    assert.deepEqual(take(), ["first", "second", "twice", "twice"]);
    h.deliver(h.ping("b"));
    assert.deepEqual(take(), ["twice", "twice"]);
    removeTwice();
    removeTwice();
    h.deliver(h.ping("c"));
    assert.deepEqual(take(), ["twice"]);
  });

  test("A8: a listener that is added while listeners are called receives the next event", () => {
    const h = new Harness();
    const told: string[] = [];
    h.connection.on("pong", () => {
      told.push("outer");
      h.connection.on("pong", () => told.push("inner"));
    });
    h.deliver(h.pong("a"));
    h.deliver(h.pong("b"));
    assert.deepEqual(told, ["outer", "outer", "inner"]);
  });

  test("A8: adding and removing listeners takes time in proportion to their number", async () => {
    const h = new Harness();
    const addAndRemove = (count: number): void => {
      const removals = Array.from({ length: count }, () => h.connection.on("ping", () => undefined));
      for (const remove of removals) remove();
    };
    await assertLinear(16_000, addAndRemove, "adding and removing listeners");
  });

  test("A8: an unknown event, and a listener that is not a function, are rejected", () => {
    const h = new Harness();
    // @ts-expect-error Callers without types may pass anything.
    assert.throws(() => h.connection.on("message", () => undefined), {
      name: "InvalidArgumentError",
      message:
        'Expected `event` to be "ping" or "pong" or "overdue" or "suspect" or "suspended" or "paused" or "resumed" or "detached" or "lost", got "message" (string). Read messages with `for await`, `recv()` or `forEach()`, and await `closed` for the end.',
    });
    // @ts-expect-error Callers without types may pass anything.
    assert.throws(() => h.connection.on("ping"), {
      name: "InvalidArgumentError",
      message: "Expected `listener` to be a function, got undefined.",
    });
    // @ts-expect-error Callers without types may pass anything.
    assert.throws(() => h.connection.on(undefined, () => undefined), { message: /, got undefined\. Read/ });
  });

  test("A8: payloads are copies: a listener that keeps or changes one changes nothing", () => {
    const h = new Harness({ autoPong: false });
    const kept: Uint8Array[] = [];
    h.connection.on("ping", ({ payload }) => {
      kept.push(payload);
      h.connection.pong(payload);
      payload.fill(33);
    });
    h.deliver(h.ping("abc"), h.ping("def"));
    assert.deepEqual(h.sent(), ["PONG abc", "PONG def"]);
    assert.deepEqual(
      kept.map((payload) => Buffer.from(payload).toString()),
      ["!!!", "!!!"],
    );
  });
});
