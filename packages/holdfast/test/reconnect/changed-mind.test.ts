// A status listener that ends or restarts the attempt that it was notified of: nothing of that attempt may
// continue.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Logger } from "../../build/connection/ports.js";
import { persist } from "../../build/reconnect/persist.js";
import { Reconnection } from "../../build/reconnect/reconnect.js";
import { checkPersistOptions } from "../../build/reconnect/retry/persist-options.js";
import { fixTarget } from "../../build/reconnect/target.js";
import { HandshakeError } from "../../build/shared/errors.js";
import { Consumer } from "./consumer.js";
import { ScriptedClient, ScriptedConnector, type ScriptedAttempt } from "./scripted-connector.js";
import { PersistentHarness } from "./persistent-harness.js";

/** A persistent connection that records the calls of its `headers` function and the attempts in its log. */
function recorded(signal?: AbortSignal) {
  const calls: number[] = [];
  const logged: string[] = [];
  const ignore = (): void => undefined;
  const logger: Logger = {
    debug: (message) => {
      if (message.startsWith("= attempt")) logged.push(message);
    },
    info: ignore,
    warn: ignore,
    error: ignore,
  };
  const harness = new PersistentHarness({
    logger,
    signal,
    headers: (attempt: number) => {
      calls.push(attempt);
      return {};
    },
  });
  return { harness, calls, logged };
}

describe("A status listener that ends an attempt at its beginning", () => {
  const endings: Record<string, (harness: PersistentHarness, aborter: AbortController) => void> = {
    "terminate()": ({ link }) => link.terminate(),
    "close()": ({ link }) => void link.close(),
    "an abort": (_harness, aborter) => aborter.abort(new Error("enough")),
  };
  for (const [name, end] of Object.entries(endings)) {
    test(`F6: ${name} stops it before it calls a function of the application or opens a connection`, async () => {
      const aborter = new AbortController();
      const { harness, calls, logged } = recorded(aborter.signal);
      harness.link.on("status", ({ state, ...status }) => {
        if (state === "connecting" && "attempt" in status && status.attempt === 2) end(harness, aborter);
      });
      await harness.open();
      await harness.cut();
      await harness.clock.advanceAsync(60_000);
      assert.equal(harness.link.status.state, "closed");
      assert.deepEqual(calls, [1]);
      assert.deepEqual(logged, ["= attempt 1 to connect"]);
      assert.equal(harness.connector.attempts.length, 1);
      harness.assertNothingLeft();
    });
  }
});

describe("`retryable` that stops the loop and asks for another attempt", () => {
  const fail = (attempt: ScriptedAttempt): void =>
    attempt.fail(new HandshakeError("refused", { failure: "refused" }));

  test("F6: persist() ends after `disconnected`, without a delay", async () => {
    const connector = new ScriptedConnector(fail);
    const client = new ScriptedClient(connector);
    const retryable = (): boolean => {
      client.terminate();
      return true;
    };
    const consumer = new Consumer(persist(client, { retryable }), client);
    await connector.clock.advanceAsync(60_000);
    assert.deepEqual(consumer.types, ["connecting", "connectFail", "disconnected"]);
    assert(consumer.isOver);
    assert.equal(consumer.error, null);
    assert.equal(connector.watchers.size, 0);
    connector.assertNothingLeft();
  });

  test("F6: reconnect() ends without an error", async () => {
    const connector = new ScriptedConnector(fail);
    const aborter = new AbortController();
    const { target, settings } = fixTarget(connector, "ws://example.com/", {});
    const retryable = (): boolean => {
      aborter.abort();
      return true;
    };
    const loop = new Reconnection({
      target,
      settings,
      persist: checkPersistOptions({ signal: aborter.signal, retryable }),
    });
    const first = loop.next();
    await connector.clock.advanceAsync(60_000);
    assert.deepEqual(await first, { value: undefined, done: true });
    assert.equal(connector.watchers.size, 0);
    connector.assertNothingLeft();
  });

  test("F6: connectPersistent() ends once", async () => {
    const harness: PersistentHarness = new PersistentHarness(
      {
        retryable: () => {
          harness.link.terminate();
          return true;
        },
      },
      fail,
    );
    await harness.clock.advanceAsync(60_000);
    assert.deepEqual(harness.states, ["connecting", "closed"]);
    harness.assertNothingLeft();
  });
});

describe("A function of the application that ends the loop while the consumer waits", () => {
  test("A3: the consumer gets every event of that attempt", async () => {
    const connector = new ScriptedConnector((attempt) => attempt.transport.fail());
    const client: ScriptedClient = new ScriptedClient(connector, (attempt) => {
      if (attempt === 2) client.terminate();
      if (attempt === 1) throw new Error("no token yet");
      return "ws://example.com/";
    });
    const consumer = new Consumer(persist(client), client);
    await connector.clock.advanceAsync(60_000);
    assert.deepEqual(consumer.types, [
      ...["connecting", "connectFail", "disconnected", "backOff"],
      ...["connecting", "connectFail", "disconnected"],
    ]);
    assert(consumer.isOver);
    connector.assertNothingLeft();
  });
});

test("F6: close() in the turn in which the connection opens begins the closing", async () => {
  const harness = new PersistentHarness();
  await harness.clock.settle();
  harness.attempt.open();
  void harness.link.close();
  assert.deepEqual(harness.states, ["connecting", "closing"]);
  await harness.finish();
  assert.deepEqual(harness.states, ["connecting", "closing", "closed"]);
});

test("F6: a logger that closes the client when it hears of the next attempt ends it for good", async () => {
  const ignore = (): void => undefined;
  const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const harness = new PersistentHarness({
    logger: {
      ...logger,
      info: (message) => {
        if (message === "connection retry") void harness.link.close();
      },
    },
  });
  await harness.open();
  await harness.cut();
  await harness.clock.advanceAsync(60_000);
  assert.equal(harness.link.status.state, "closed");
  assert.equal(harness.connector.attempts.length, 1);
  harness.assertNothingLeft();
  await harness.link.closed;
});
