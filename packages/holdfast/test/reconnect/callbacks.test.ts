// Functions of the application that are called during opening, and that throw, hang or return invalid values.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { getEventListeners } from "node:events";
import { callFactories } from "../../build/reconnect/call-factories.js";
import { TooSlowError } from "../../build/connection/errors.js";
import type { PersistentStatus } from "../../build/reconnect/persistent/status.js";
import { persist } from "../../build/reconnect/persist.js";
import { HandshakeError, HoldfastError, InvalidArgumentError } from "../../build/shared/errors.js";
import { Consumer } from "./consumer.js";
import { PersistentHarness, type Options } from "./persistent-harness.js";
import { ScriptedClient, ScriptedConnector } from "./scripted-connector.js";
import { forbidUnhandledRejections } from "../behaviour/unhandled-rejections.js";

const NAMES = ["url", "headers", "subprotocols"] as const;
type Name = (typeof NAMES)[number];

/** Values that cannot be converted to a string. */
const UNSPEAKABLE: readonly (readonly [string, unknown])[] = [
  ["an object without a prototype", Object.create(null)],
  [
    "an object whose toString throws",
    {
      toString() {
        throw new Error("no");
      },
    },
  ],
  ["a symbol", Symbol("x")],
  ["undefined", undefined],
];

describe("Functions of the application that opening uses", () => {
  forbidUnhandledRejections();

  /** A client with one option that is a function. */
  function clientWith(
    name: Name,
    provider: (attempt: number, signal: AbortSignal, client: ScriptedClient) => unknown,
  ) {
    const connector = new ScriptedConnector();
    const call = (attempt: number, signal: AbortSignal): never => provider(attempt, signal, client) as never;
    const options = { openTimeout: 10_000, ...(name === "url" ? {} : { [name]: call }) };
    const client = new ScriptedClient(connector, name === "url" ? call : undefined, options);
    return { connector, client, consumer: new Consumer(persist(client), client) };
  }

  for (const name of NAMES) {
    for (const [what, thrown] of UNSPEAKABLE) {
      for (const isAsync of [false, true]) {
        test(`B12: \`${name}\` that ${isAsync ? "rejects with" : "throws"} ${what} is a failed attempt, without a busy loop`, async () => {
          const { connector, client, consumer } = clientWith(name, () => {
            if (isAsync) return Promise.reject(thrown);
            throw thrown;
          });
          await connector.clock.advanceAsync(60_000);
          const error = consumer.find("connectFail")?.error;
          assert(error instanceof HandshakeError && error.code === "ERR_HOLDFAST_PROVIDER", String(error));
          assert.match(
            error.message,
            new RegExp(`^The function that returns \`${name}\` failed for attempt \\d+: `),
          );
          assert.equal(error.cause, thrown);
          const attempts = consumer.types.filter((type) => type === "connecting").length;
          assert(attempts >= 3 && attempts <= 12, `${attempts} attempts in a minute`);
          client.terminate();
          await consumer.finished;
          connector.assertNothingLeft();
        });
      }
    }

    test(`B12: \`${name}\` that hangs fails the attempt after openTimeout, its signal aborts, and the next attempt calls it again`, async () => {
      const signals: AbortSignal[] = [];
      const { connector, client, consumer } = clientWith(name, (_attempt, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      });
      await connector.clock.advanceAsync(9_999);
      assert.deepEqual([consumer.types, signals[0].aborted], [[], false]);
      await connector.clock.advanceAsync(1);
      const error = consumer.find("connectFail")?.error;
      assert(error instanceof HandshakeError && error.code === "ERR_HOLDFAST_PROVIDER", String(error));
      assert.equal(
        error.message,
        `Expected the function that returns \`${name}\` to settle within 10000 ms (openTimeout), got no result for attempt 1. Make it stop when its signal aborts, or raise \`openTimeout\`.`,
      );
      assert.equal(signals[0].aborted, true);
      await connector.clock.advanceAsync(2_000);
      assert.equal(signals.length, 2);
      client.terminate();
      await consumer.finished;
      connector.assertNothingLeft();
    });

    test(`B12: \`${name}\` that closes the client and then rejects leaves nothing`, async () => {
      const { connector, consumer } = clientWith(name, (_attempt, _signal, client) => {
        client.terminate();
        return Promise.reject(new Error("too late"));
      });
      await connector.clock.settle();
      await consumer.finished;
      assert.deepEqual(consumer.types.at(-1), "disconnected");
      connector.assertNothingLeft();
    });
  }

  test("B12: after an abort no function is called", async () => {
    const { runtime } = new ScriptedConnector();
    const reason = new Error("enough");
    const calls: string[] = [];
    const call = { runtime, attempt: 1, signal: AbortSignal.abort(reason), timeout: 10_000 };
    const url = () => {
      calls.push("url");
      return "ws://example.com/";
    };
    await assert.rejects(callFactories({ url }, call), (error) => error === reason);
    assert.deepEqual(calls, []);
    assert.equal(runtime.timers.size, 0);
  });

  test("B12: while functions are pending, the signal of the attempt has one listener; afterwards none", async () => {
    const { runtime } = new ScriptedConnector();
    const { signal } = new AbortController();
    const counts: number[] = [];
    const count = () => void counts.push(getEventListeners(signal, "abort").length);
    const call = { runtime, attempt: 1, signal, timeout: null };
    await callFactories({ url: count, headers: count }, call);
    count();
    assert.deepEqual(counts, [1, 1, 0]);
  });

  test("B12: a thenable whose `then` throws is a function that fails", async () => {
    const { connector, client, consumer } = clientWith("headers", () => ({
      then() {
        throw new Error("broken");
      },
    }));
    await connector.clock.settle();
    assert.match(consumer.find("connectFail")?.error.message ?? "", /broken\.$/);
    client.terminate();
    await consumer.finished;
  });

  test("B12: `retryable` that returns anything but true or false ends it with an error that says so", async () => {
    for (const [answer, got] of [
      [() => undefined, "undefined"],
      [() => 1, "1 (number)"],
      [() => "yes", '"yes" (string)'],
      [() => Promise.resolve(true), "a promise"],
      [() => Promise.reject(new Error("async")), "a promise"],
    ] as const) {
      const harness = new PersistentHarness({ retryable: answer as never });
      await harness.open();
      await harness.cut();
      const { status } = harness.link;
      assert(status.state === "closed" && status.error instanceof InvalidArgumentError);
      assert.equal(
        status.error.message,
        `Expected \`retryable\` to return true or false, got ${got}. Return \`byDefault\` where it has no opinion.`,
      );
      harness.assertNothingLeft();
    }
  });

  for (const [what, thrown] of UNSPEAKABLE) {
    test(`B12: \`retryable\` and \`onOpen\` may throw ${what}`, async () => {
      const throwing = (): never => {
        throw thrown;
      };
      const unsure = new PersistentHarness({ retryable: throwing });
      await unsure.open();
      await unsure.cut();
      const { status } = unsure.link;
      assert(status.state === "closed" && status.error instanceof Error);
      assert.equal(status.error.cause, thrown);
      unsure.assertNothingLeft();

      const failing = new PersistentHarness({ onOpen: throwing });
      await failing.open();
      assert(failing.link.status.state === "waiting");
      assert.equal(failing.link.status.error.cause, thrown);
      await failing.finish();
    });
  }

  test("B12: `onOpen` that fails each time is tried with growing waits", async () => {
    const harness = new PersistentHarness(
      { onOpen: () => Promise.reject(new Error("wrong password")) },
      (attempt) => setImmediate(() => attempt.open()),
    );
    for (let second = 0; second < 60; second++) {
      await harness.clock.advanceAsync(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { length } = harness.connector.attempts;
    assert(length >= 3 && length <= 12, `${length} attempts in a minute`);
    await harness.finish();
  });

  test("B12: `onOpen` that hangs loses its connection after openTimeout; without one there is no limit", async () => {
    const signals: AbortSignal[] = [];
    const options: Options = {
      onOpen: (_connection, { signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    };
    const harness = new PersistentHarness({ ...options, openTimeout: 3_000 });
    await harness.open();
    await harness.clock.advanceAsync(2_999);
    assert.equal(harness.states.at(-1), "connecting");
    await harness.clock.advanceAsync(1);
    const status: PersistentStatus = harness.link.status;
    assert(status.state === "waiting" && status.error instanceof TooSlowError);
    assert.match(status.error.message, /^Expected `onOpen` to settle within 3000 ms \(openTimeout\)/);
    assert.equal(signals[0].aborted, true);
    await harness.finish();

    const patient = new PersistentHarness({ ...options, openTimeout: null });
    await patient.open();
    await patient.clock.advanceAsync(600_000);
    assert.equal(patient.link.status.state, "connecting");
    await patient.finish();
  });

  test("B12: `onOpen` that settles in time leaves no alarm", async () => {
    const harness = new PersistentHarness({ onOpen: () => Promise.resolve(), openTimeout: 3_000 });
    await harness.open();
    assert.equal(harness.link.status.state, "open");
    await harness.clock.advanceAsync(60_000);
    assert.equal(harness.link.status.state, "open");
    await harness.finish();
  });

  test("B12: an invalid URL value ends it with an error of this library", async () => {
    for (const nonsense of [5, null, {}, Symbol("x"), Object.create(null)]) {
      const { connector, consumer } = clientWith("url", () => nonsense);
      await connector.clock.settle();
      await consumer.finished;
      assert(consumer.find("connectFail")?.error instanceof HoldfastError);
      connector.assertNothingLeft();
    }
  });
});
