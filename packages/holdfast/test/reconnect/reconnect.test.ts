// reconnect(), on the fake clock.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkConnectionOptions } from "../../build/connection/options.js";
import type { Connection } from "../../build/connection/connection.js";
import { checkPersistOptions, type PersistOptions } from "../../build/reconnect/retry/persist-options.js";
import { Reconnection } from "../../build/reconnect/reconnect.js";
import { HandshakeError, InvalidStatusError } from "../../build/shared/errors.js";
import { follow } from "../connection/harness.js";
import { close, ScriptedConnector, text, type ScriptedAttempt } from "./scripted-connector.js";

const refused = () => new HandshakeError("refused", { failure: "refused" });
const status = (code: number, retryAfter: number | null = null) =>
  new InvalidStatusError(`got ${code}`, {
    status: code,
    headers: new Headers(),
    body: new Uint8Array(),
    retryAfter,
  });

function begin(onAttempt: (attempt: ScriptedAttempt) => void, options: PersistOptions = {}) {
  const connector = new ScriptedConnector(onAttempt);
  const iterator = new Reconnection({
    target: { connector, url: (attempt) => `ws://host-${attempt}/`, options: {}, context: null },
    settings: checkConnectionOptions({}),
    persist: checkPersistOptions(options),
  });
  return { connector, clock: connector.clock, iterator };
}

/** Collects the connections of a loop whose body ends with the connection. */
async function loop(iterator: Reconnection<never>, seen: Connection[]): Promise<void> {
  for await (const connection of iterator) {
    seen.push(connection);
    await connection.closed;
  }
}

describe("reconnect()", () => {
  test("F1: yields open connections, one after another, and waits in between", async () => {
    const { connector, clock, iterator } = begin((attempt) => attempt.open(text("glued")));
    const seen: Connection[] = [];
    const over = loop(iterator as Reconnection<never>, seen);
    await clock.settle();
    assert.equal(seen.length, 1);
    assert.equal(seen[0].state, "open");
    assert.equal(await seen[0].recv(), "glued");
    connector.attempt.transport.fail();
    await clock.settle();
    assert.equal(connector.attempts.length, 1);
    await clock.advanceAsync(5000);
    assert.equal(seen.length, 2);
    assert.deepEqual(
      connector.attempts.map(({ url }) => url),
      ["ws://host-1/", "ws://host-2/"],
    );
    const left = iterator.return();
    await clock.settle();
    connector.attempt.deliver(close(1000));
    connector.attempt.transport.eof();
    await clock.settle();
    await left;
    await over;
    assert.deepEqual(connector.attempt.sent(), ["CLOSE 1000"]);
    connector.assertNothingLeft();
  });

  test("F2, F3: failures follow the backoff policy; their errors are not thrown", async () => {
    const { connector, clock, iterator } = begin((attempt) => attempt.fail(refused()));
    const first = follow(iterator.next());
    await clock.advanceAsync(120_000);
    assert.deepEqual(first.outcome, { status: "pending" });
    const { length } = connector.attempts;
    assert(length >= 5 && length <= 12, `${length} attempts`);
    await iterator.return();
    await clock.settle();
    assert.deepEqual(first.outcome, { status: "fulfilled", value: { value: undefined, done: true } });
    connector.assertNothingLeft();
  });

  test("F5: throws a fatal error, and ends", async () => {
    const { connector, iterator } = begin((attempt) => attempt.fail(status(403)));
    await assert.rejects(iterator.next(), { name: "InvalidStatusError", status: 403 });
    assert.deepEqual(await iterator.next(), { value: undefined, done: true });
    assert.equal(connector.attempts.length, 1);
    connector.assertNothingLeft();
  });

  test("F5: an error that retryable() refuses is thrown, unless the connection ended normally", async () => {
    for (const [code, expected] of [
      [4001, "ConnectionClosedError"],
      [1000, null],
    ] as const) {
      const { connector, clock, iterator } = begin((attempt) => attempt.open(), { retryable: () => false });
      await iterator.next();
      connector.attempt.deliver(close(code));
      connector.attempt.transport.eof();
      await clock.settle();
      const next = iterator.next();
      if (expected === null) assert.deepEqual(await next, { value: undefined, done: true });
      else await assert.rejects(next, { name: expected });
      assert.deepEqual(await iterator.next(), { value: undefined, done: true });
      connector.assertNothingLeft();
    }
  });

  test("F8: a connection that is still open is closed before the next one is opened", async () => {
    const { connector, clock, iterator } = begin((attempt) => attempt.open());
    await iterator.next();
    const [first] = connector.attempts;
    const second = follow(iterator.next());
    await clock.advanceAsync(9999);
    assert.deepEqual(first.sent(), ["CLOSE 1000"]);
    assert.equal(connector.attempts.length, 1);
    await clock.advanceAsync(1); // closeTimeout
    assert.equal(first.isLive, false);
    await clock.advanceAsync(5000);
    assert.equal(connector.attempts.length, 2);
    assert.equal(second.outcome.status, "fulfilled");
    connector.attempt.transport.fail();
    await clock.settle();
    await iterator.return();
    connector.assertNothingLeft();
  });

  const moments: readonly (readonly [string, (attempt: ScriptedAttempt) => void])[] = [
    ["connecting", () => undefined],
    ["open", (attempt) => attempt.open()],
    ["waiting", (attempt) => attempt.fail(refused())],
  ];
  for (const [moment, onAttempt] of moments) {
    test(`F6: an abort while ${moment} ends it in the same turn, quietly`, async () => {
      const aborter = new AbortController();
      const { connector, clock, iterator } = begin(onAttempt, { signal: aborter.signal });
      const first = follow(iterator.next());
      await clock.settle();
      aborter.abort();
      assert.equal(connector.attempt.isLive, false);
      assert.equal(connector.runtime.timers.size, 0);
      await clock.settle();
      if (moment === "open") {
        assert.deepEqual(connector.attempt.sent(), ["CLOSE 1001"]);
        assert.deepEqual(await iterator.next(), { value: undefined, done: true });
      } else {
        assert.deepEqual(first.outcome, { status: "fulfilled", value: { value: undefined, done: true } });
      }
      assert.equal(connector.attempts.length, 1);
      connector.assertNothingLeft();
    });
  }

  test("A1: a second next() while one waits is an error, and the first gets the connection", async () => {
    const { connector, clock, iterator } = begin(() => undefined);
    const first = follow(iterator.next());
    await assert.rejects(iterator.next(), { name: "ConcurrencyError" });
    await clock.settle();
    connector.attempt.open();
    await clock.settle();
    assert.equal(first.outcome.status, "fulfilled");
    connector.attempt.transport.fail();
    await clock.settle();
    await iterator.return();
    connector.assertNothingLeft();
  });
});
