// A persistent connection whose code is not there yet, as in a page. The test decides when the code arrives.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ConnectionClosedError, TooSlowError } from "../../build/connection/errors.js";
import type { SessionKeep, KeptClient } from "../../build/connection/session-keep.js";
import { LoadingCore } from "../../build/reconnect/persistent/loading-core.js";
import { makeCore } from "../../build/reconnect/persistent/open-persistent.js";
import {
  createPersistent,
  type PersistentConnection,
} from "../../build/reconnect/persistent/persistent-connection.js";
import type { PersistentCore } from "../../build/reconnect/persistent/persistent-core.js";
import { setUpPersistent } from "../../build/reconnect/persistent/set-up.js";
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
    const load = async (): Promise<(failures: number) => PersistentCore> => {
      const request = withResolvers<unknown>();
      requests.push(request);
      await request.promise;
      return (failures) => makeCore(setup, connector, failures);
    };
    const connection = createPersistent(setup, new LoadingCore(setup, load));
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

  async function loadingFails(): Promise<void> {
    requests.at(-1)?.reject(new Error("offline"));
    await connector.clock.settle();
  }

  test("F9: code that cannot be loaded is a failed attempt: reported, and requested again after the delays of reconnecting, or when the network returns", async () => {
    const warnings: unknown[] = [];
    const ignore = (): void => undefined;
    const logger = {
      debug: ignore,
      info: ignore,
      warn: (message: string) => warnings.push(message),
      error: ignore,
    };
    const judged: unknown[] = [];
    const connection = open({
      ...{ minDelay: 100, firstDelay: 100, factor: 2, maxDelay: 1_000, logger },
      retryable: (error, byDefault) => {
        judged.push((error.cause as Error).message, byDefault);
        return byDefault;
      },
    });
    void connection.send("a");
    await loadingFails();
    const { status } = connection;
    assert.deepEqual(status.state === "waiting" && [status.delay, status.attempt, status.requestedByServer], [
      100,
      1,
      false,
    ]);
    assert.match(String("error" in status && status.error), /offline/);
    assert.deepEqual([warnings.length, judged], [1, ["offline", true]]);
    await connector.clock.advanceAsync(99);
    assert.equal(requests.length, 1);
    await connector.clock.advanceAsync(1);
    assert.equal(requests.length, 2);
    assert.deepEqual(events, ["disconnected", "waiting", "connecting"]);
    await loadingFails();
    connector.returnNetwork();
    assert.equal(requests.length, 3);
    connector.returnNetwork();
    assert.equal(requests.length, 3, "One request at a time");
    await loadingFails();
    connection.probe();
    assert.equal(requests.length, 4);
    await codeArrives();
    await serverOpens();
    assert.deepEqual(messagesOf(connector.attempt), ["a"]);
    const opened = connection.status;
    assert.deepEqual(opened.state === "open" && opened.attempt, 4);
    await end(connection);
  });

  test("F9: `retryable` ends it if the code cannot be loaded, with its error if it throws", async () => {
    for (const retryable of [
      () => false,
      () => {
        throw new Error("no more");
      },
    ]) {
      const connection = open({ retryable });
      const received = follow(connection.recv());
      const sent = follow(connection.send("a"));
      await loadingFails();
      const { status } = connection;
      assert(status.state === "closed");
      assert.match(String(status.error), retryable.toString().includes("throw") ? /no more/ : /offline/);
      assert.equal(errorOf(received), status.error);
      assert.match(String(errorOf(sent)), /NotSentError/);
      await end(connection);
    }
  });

  test("F6: it can end while the code cannot be loaded", async () => {
    const connection = open();
    await loadingFails();
    await end(connection);
    assert.equal(requests.length, 1);
  });

  describe("with the option `keep`", () => {
    let client: KeptClient | null;
    let stored: string | null;
    let isWatched: boolean;
    const keep: SessionKeep = {
      load: () => stored,
      save: (state) => void (stored = state),
      clear: () => void (stored = null),
      watch: (watched) => {
        client = watched;
        isWatched = true;
        return () => void (isWatched = false);
      },
    };

    beforeEach(() => {
      client = null;
      stored = null;
    });

    test("L9: a reload before the code is there keeps what was sent, and the state of the page before", async () => {
      const first = open({ session: { keep } });
      void first.send("1");
      client?.suspend();
      void first.send("2");
      const kept = stored;
      assert(kept !== null);
      await codeArrives();
      assert.equal(connector.attempts.length, 0);

      const second = open({ session: { keep } });
      assert.equal(stored, null);
      assert.deepEqual(second.queued, { messages: 2, bytes: 2 });
      void second.send("3");
      client?.suspend();
      assert(stored !== null);
      const third = open({ session: { keep } });
      await codeArrives();
      await serverOpens();
      assert.deepEqual(messagesOf(connector.attempt), ["1", "2", "3"]);
      for (const each of [first, second]) void each.close();
      await end(third);
      assert.equal(isWatched, false);
    });

    test("L9: a page that returns from the back/forward cache continues, if no other has taken its state", async () => {
      for (const isTaken of [false, true]) {
        const connection = open({ session: { keep } });
        const sent = follow(connection.send("1"));
        client?.suspend();
        await codeArrives();
        if (isTaken) stored = null;
        client?.resume();
        await connector.clock.settle();
        assert.equal(stored, null);
        await serverOpens();
        assert.deepEqual(messagesOf(connector.attempt), isTaken ? [] : ["1"]);
        assert.equal(sent.outcome.status, isTaken ? "rejected" : "fulfilled");
        await end(connection);
      }
    });

    test("L9: a page that returns from the back/forward cache continues the state that the next page has stored", async () => {
      const first = open({ session: { keep } });
      const lost = follow(first.send("1"));
      const page = client;
      page?.suspend();
      const second = open({ session: { keep } });
      void second.send("2");
      client?.suspend();
      page?.resume();
      assert.equal(stored, null);
      requests[0].resolve(null);
      await connector.clock.settle();
      await serverOpens();
      assert.deepEqual(messagesOf(connector.attempt), ["1", "2"]);
      assert.equal(lost.outcome.status, "rejected");
      void second.close();
      await end(first);
    });

    test("L9: close() before the code is there ends the kept session: the next page begins another one", async () => {
      const first = open({ session: { keep } });
      void first.send("1");
      client?.suspend();
      const second = open({ session: { keep } });
      await second.close();
      assert.deepEqual([stored, isWatched], [null, false]);
      await end(first);
    });
  });
});

/** Undefined if it was not rejected. */
function errorOf({ outcome }: { readonly outcome: Outcome<unknown> }): unknown {
  return outcome.status === "rejected" ? outcome.error : undefined;
}
