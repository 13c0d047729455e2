// A persistent connection whose code is not there yet, as in a page. The test decides when the code arrives.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ConnectionClosedError, TooSlowError } from "../../build/connection/errors.js";
import type { SessionKeep, KeptClient } from "../../build/connection/session-keep.js";
import { LoadingCore } from "../../build/reconnect/persistent/loading-core.js";
import { makeCore } from "../../build/reconnect/persistent/open-persistent.js";
import type { PersistentConnection } from "../../build/reconnect/persistent/persistent-connection.js";
import type { PersistentCore } from "../../build/reconnect/persistent/persistent-core.js";
import { persistentConnection, setUpPersistent } from "../../build/reconnect/persistent/set-up.js";
import { follow, parseFrames, type Outcome } from "../connection/harness.js";
import { messagesOf, type Options } from "./persistent-harness.js";
import { close, ScriptedConnector, text, withResolvers } from "./scripted-connector.js";

interface CodeRequest {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

describe("A persistent connection that loads its code", () => {
  let connector: ScriptedConnector;
  /** Each request for the code. */
  let requests: CodeRequest[];
  let events: string[];

  beforeEach(() => {
    connector = new ScriptedConnector();
    requests = [];
    events = [];
  });

  function open(options: Options = {}): PersistentConnection {
    const setup = setUpPersistent(connector, "ws://example.com/", options);
    const load = async (): Promise<() => PersistentCore> => {
      const request = withResolvers<unknown>();
      requests.push(request);
      await request.promise;
      return () => makeCore(setup, connector);
    };
    const connection = persistentConnection(setup, new LoadingCore(setup, load));
    connection.on("status", ({ state }) => events.push(state));
    connection.on("open", () => events.push("open event"));
    connection.on("disconnected", () => events.push("disconnected"));
    return connection;
  }

  async function codeArrives(): Promise<void> {
    requests.at(-1)?.resolve(null);
    await connector.clock.settle();
  }

  async function serverOpens(...messages: readonly string[]): Promise<void> {
    connector.attempt.open(...messages.map((message) => text(message)));
    await connector.clock.settle();
  }

  /** Ends it in any state, and asserts that nothing remains. */
  async function end(connection: PersistentConnection): Promise<void> {
    void connection.close();
    await connector.clock.settle();
    const attempt = connector.attempts.at(-1);
    if (attempt?.isOpen === true && attempt.isLive) {
      attempt.transport.drain();
      attempt.deliver(close(1000));
      attempt.transport.eof();
    }
    await connector.clock.settle();
    await connection.closed;
    assert.equal(connector.watchers.size, 0);
    connector.assertNothingLeft();
  }

  test("F9: what was sent and asked for before the code is there happens afterwards, in order", async () => {
    const connection = open();
    const bytes = new Uint8Array([1, 2, 3]);
    void connection.send("a");
    void connection.send(bytes);
    bytes.fill(9);
    void connection.send("b");
    assert.deepEqual(connection.queued, { messages: 3, bytes: 5 });
    assert.deepEqual(
      [connection.status.state, connection.connection, connection.session, connection.latency],
      ["connecting", null, null, null],
    );
    const first = connection.recv();
    assert.equal(connector.attempts.length, 0);

    await codeArrives();
    await serverOpens("1", "2", "3");
    assert.equal(await first, "1");
    assert.equal(await connection.recv(), "2");
    for await (const message of connection) {
      assert.equal(message, "3");
      break;
    }
    const sent = parseFrames(connector.attempt.transport.taken);
    assert.deepEqual(
      sent.map(({ payload }) => Buffer.from(payload)),
      [Buffer.from("a"), Buffer.from([1, 2, 3]), Buffer.from("b")],
    );
    assert.deepEqual(events, ["open event", "open"]);
    assert.deepEqual(connection.queued, { messages: 0, bytes: 0 });
    await end(connection);
  });

  test("F9: an iteration and a forEach() that begin before the code is there get every message", async () => {
    for (const isIteration of [true, false]) {
      const connection = open();
      const received: unknown[] = [];
      const reading = isIteration
        ? (async () => {
            for await (const message of connection) received.push(message);
            return "over";
          })()
        : connection.forEach((message) => received.push(message)).then(() => "over");
      const second = follow(connection.recv());
      assert.throws(() => connection.discard(), /Expected one reader at a time, got discard\(\)/);
      await connector.clock.settle();
      await codeArrives();
      await serverOpens("1", "2");
      assert.match(String(errorOf(second)), /one reader at a time/);
      assert.deepEqual(received, ["1", "2"]);
      void connection.close();
      connector.attempt.deliver(close(1000));
      connector.attempt.transport.eof();
      await connector.clock.settle();
      assert.equal(await reading, "over");
      await end(connection);
    }
  });

  test("E6: discard() before the code is there drops every message, and no reader may follow", async () => {
    const connection = open();
    connection.discard();
    const read = follow(connection.recv());
    await codeArrives();
    await serverOpens("1");
    assert.equal(read.outcome.status, "rejected");
    await assert.rejects(connection.recv(), /after discard\(\)/);
    await end(connection);
  });

  test("E5: recv() keeps its timeout and its signal while the code loads, and afterwards", async () => {
    const connection = open();
    const late = follow(connection.recv({ timeout: 100 }));
    await connector.clock.advanceAsync(100);
    assert(errorOf(late) instanceof TooSlowError);

    const aborter = new AbortController();
    const aborted = follow(connection.recv({ signal: aborter.signal }));
    aborter.abort("enough");
    await connector.clock.settle();
    assert.deepEqual(aborted.outcome, { status: "rejected", error: "enough" });
    await assert.rejects(connection.recv({ signal: aborter.signal }), (error) => error === "enough");

    const across = follow(connection.recv({ timeout: 100 }));
    await connector.clock.advanceAsync(60);
    await codeArrives();
    await connector.clock.advanceAsync(39);
    assert.equal(across.outcome.status, "pending");
    await connector.clock.advanceAsync(1);
    assert(errorOf(across) instanceof TooSlowError);
    await end(connection);
  });

  for (const name of ["close()", "terminate()", "an abort of `signal`"] as const) {
    test(`F6: ${name} before the code is there ends it in the same turn`, async () => {
      const aborter = new AbortController();
      const connection = open({ signal: aborter.signal });
      const sent = follow(connection.send("a"));
      const received = follow(connection.recv());
      const consumed = follow(connection.forEach(() => assert.fail("Expected no message")));
      const { closed } = connection;
      if (name === "close()") void connection.close();
      else if (name === "terminate()") connection.terminate();
      else aborter.abort(new Error("enough"));

      assert.equal(connection.status.state, "closed");
      assert(connection.signal.aborted);
      const info = await closed;
      assert.equal(info.cause, "aborted");
      assert.match(String(info.error), /This side stopped before a connection was open/);
      await connector.clock.settle();
      assert.match(String(errorOf(sent)), /NotSentError/);
      assert(errorOf(received) instanceof ConnectionClosedError);
      assert.deepEqual(consumed.outcome, { status: "fulfilled", value: info });
      assert.deepEqual(await connection[Symbol.asyncIterator]().next(), { value: undefined, done: true });
      await assert.rejects(connection.recv(), ConnectionClosedError);
      await assert.rejects(connection.send("late"), { reason: "closed", outcome: "unsent" });
      assert.deepEqual(events, ["disconnected", "closed"]);

      await codeArrives();
      assert.equal(connector.attempts.length, 0);
      await end(connection);
    });
  }

  test("F6: a signal that has already aborted ends it at once", async () => {
    const connection = open({ signal: AbortSignal.abort() });
    assert.equal(connection.status.state, "closed");
    assert.equal(requests.length, 0);
    await end(connection);
  });

  test("F9: close() by a listener of the first events ends the connection", async () => {
    const connection = open();
    connection.on("open", () => void connection.close());
    await codeArrives();
    await serverOpens();
    assert.equal(connection.status.state, "closing");
    await end(connection);
  });

  test("F9: code that cannot be loaded is requested again after the delays of reconnecting, and when the network returns", async () => {
    const warnings: unknown[] = [];
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (...line: unknown[]) => warnings.push(line),
      error: () => undefined,
    };
    const connection = open({ minDelay: 100, firstDelay: 100, factor: 2, maxDelay: 1_000, logger });
    void connection.send("a");
    const fail = async (): Promise<void> => {
      requests.at(-1)?.reject(new Error("offline"));
      await connector.clock.settle();
    };
    await fail();
    assert.equal(connection.status.state, "connecting");
    assert.equal(warnings.length, 1);
    await connector.clock.advanceAsync(99);
    assert.equal(requests.length, 1);
    await connector.clock.advanceAsync(1);
    assert.equal(requests.length, 2);
    await fail();
    connector.returnNetwork();
    assert.equal(requests.length, 3);
    connector.returnNetwork();
    assert.equal(requests.length, 3, "One request at a time");
    await fail();
    connection.probe();
    assert.equal(requests.length, 4);
    await codeArrives();
    await serverOpens();
    assert.deepEqual(messagesOf(connector.attempt), ["a"]);
    await end(connection);
  });

  test("F6: it can end while the code cannot be loaded", async () => {
    const connection = open();
    requests[0]?.reject(new Error("offline"));
    await connector.clock.settle();
    await end(connection);
    assert.equal(requests.length, 1);
  });

  test("L9: code that arrives while the page is hidden for good leaves what is kept to the next page", async () => {
    let client: KeptClient | null = null;
    const calls: string[] = [];
    const keep: SessionKeep = {
      load: () => (calls.push("load"), null),
      save: () => void calls.push("save"),
      clear: () => void calls.push("clear"),
      watch: (watched) => {
        client = watched;
        return () => void calls.push("unwatch");
      },
    };
    const connection = open({ session: { keep } });
    const kept = client as KeptClient | null;
    kept?.suspend();
    await codeArrives();
    assert.deepEqual([calls, connector.attempts.length], [[], 0]);
    // The page returns from the back/forward cache.
    kept?.resume();
    await connector.clock.settle();
    assert.deepEqual([calls, connector.attempts.length], [["load", "clear"], 1]);
    await end(connection);
    assert.equal(calls.at(-1), "unwatch");
  });
});

/** Undefined if it was not rejected. */
function errorOf({ outcome }: { readonly outcome: Outcome<unknown> }): unknown {
  return outcome.status === "rejected" ? outcome.error : undefined;
}
