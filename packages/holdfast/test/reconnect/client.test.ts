// Loops over a client, on the fake clock: their connections, their events and times, and changes during the loop.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frame, OPCODE, type FakeClock } from "holdfast-testkit";
import type { ConnectionCore } from "../../build/connection/connection-core.js";
import { coreOf } from "../../build/connection/core-of.js";
import { Alarm } from "../../build/connection/timer-queue.js";
import type { MessageExtension } from "../../build/protocol/extension.js";
import { HandshakeError } from "../../build/shared/errors.js";
import { Consumer } from "./consumer.js";
import { assertOneAttempt } from "./grammar.js";
import { binary, close, ping, pong, ScriptedClient, ScriptedConnector, text } from "./scripted-connector.js";

/** A client whose attempts open at once, and its connector. */
function opened(options: ConstructorParameters<typeof ScriptedClient>[2] = {}) {
  const connector = new ScriptedConnector((attempt) => attempt.open());
  const client = new ScriptedClient(connector, undefined, options);
  return { connector, clock: connector.clock, client };
}

/** Leaves the loop, which waits for the end of the transport. */
async function left(clock: FakeClock, iterator: AsyncIterator<unknown, undefined>): Promise<void> {
  const returned = iterator.return?.();
  await clock.settle();
  assert.deepEqual(await returned, { value: undefined, done: true });
}

/** A promise that the test resolves. */
function gate() {
  let open: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

describe("A loop over a client", () => {
  test("A1: creating a client does nothing, nor does requesting its iterator", async () => {
    const { connector, clock, client } = opened();
    client.connect();
    const iterator = client[Symbol.asyncIterator]();
    await clock.advanceAsync(60_000);
    assert.deepEqual(connector.attempts, []);
    assert.equal(client.state, "closed");
    connector.assertNothingLeft();
    assert.deepEqual(await iterator.return?.(), { value: undefined, done: true });
    assert.deepEqual(await iterator.next(), { value: undefined, done: true });
    assert.deepEqual(connector.attempts, []);
  });

  test("A1: each loop opens a new connection, without state of the previous one", async () => {
    const { connector, clock, client } = opened({ pingInterval: 1000 });
    for (const round of [1, 2]) {
      const consumer = new Consumer(client, client);
      await clock.settle();
      assert.deepEqual(consumer.types, ["connecting", "connected", "ready"]);
      assert.equal(client.latency, null);
      assert.equal(client.latencyStats.sent, 1);
      connector.attempt.deliver(
        pong(Buffer.from(connector.attempt.transport.takeWritten().slice(6))),
        text("x"),
      );
      connector.attempt.transport.eof();
      await clock.settle();
      await consumer.finished;
      assertOneAttempt(consumer.types);
      assert.equal(connector.attempts.length, round);
      assert.equal(client.connection, null);
      connector.assertNothingLeft();
    }
  });

  test("A1: a second loop while one runs is an error, and the first continues", async () => {
    const { connector, clock, client } = opened();
    const first = new Consumer(client, client);
    await clock.settle();
    const second = new Consumer(client.connect(), client);
    await clock.settle();
    assert.deepEqual(
      { name: (second.error as Error).name, message: (second.error as Error).message, seen: second.types },
      {
        name: "ConcurrencyError",
        message: "Expected one loop over a client at a time, got another one. Create a client for each loop.",
        seen: [],
      },
    );
    assert.equal(first.isOver, false);
    connector.attempt.deliver(text("still here"));
    await clock.settle();
    assert.equal(first.find("text")?.text, "still here");
    client.terminate();
    await clock.settle();
    await first.finished;
    connector.assertNothingLeft();
  });

  test("A1: a second next() while one waits is an error, and the first gets the event", async () => {
    const { clock, client } = opened();
    const iterator = client[Symbol.asyncIterator]();
    const first = iterator.next();
    await assert.rejects(iterator.next(), { name: "ConcurrencyError" });
    await clock.settle();
    assert.equal((await first).value?.type, "connecting");
    await left(clock, iterator);
  });

  test("A3: state matches each event, also for a late consumer", async () => {
    const { connector, clock, client } = opened();
    const late = gate();
    const consumer = new Consumer(client, client, () => late.promise);
    await clock.settle();
    connector.attempt.deliver(text("one"), binary(new Uint8Array([1, 2])), close(1000));
    connector.attempt.transport.fail("ECONNRESET");
    await clock.settle();
    late.open();
    await clock.settle();
    await consumer.finished;
    assert.deepEqual(
      consumer.seen.map(({ event, state }) => `${event.type} ${state}`),
      [
        "connecting connecting",
        "connected connecting",
        "ready open",
        "text open",
        "binary open",
        "closing closing",
        "disconnected closed",
      ],
    );
  });

  test("A4: a consumer that is two seconds late receives the time at which the bytes were read", async () => {
    const { connector, clock, client } = opened();
    const late = gate();
    const consumer = new Consumer(client, client, (event) =>
      event.type === "ready" ? late.promise : undefined,
    );
    await clock.settle();
    const readAt: { readonly at: number; readonly receivedAt: number }[] = [];
    for (const arrival of [text("a"), binary(new Uint8Array(1)), ping("p"), pong("q")]) {
      await clock.advanceAsync(100);
      readAt.push({ at: clock.now(), receivedAt: clock.wallNow() });
      connector.attempt.deliver(arrival);
    }
    await clock.advanceAsync(2000);
    late.open();
    await clock.settle();
    assert.deepEqual(consumer.types.slice(3), ["text", "binary", "ping", "pong"]);
    assert.deepEqual(
      consumer.seen.slice(3).map(({ event: { at, receivedAt } }) => ({ at, receivedAt })),
      readAt,
    );
    client.terminate();
    await clock.settle();
  });

  test("A4: a message that takes long to decompress has the time of its bytes", async () => {
    let decoded: (payload: Uint8Array) => void = () => undefined;
    const extension: MessageExtension = {
      name: "slow",
      reservedBits: 0x40,
      maxEncodedSize: (size) => size,
      threshold: Infinity,
      decode: () => new Promise((resolve) => (decoded = resolve)),
      encode: () => null,
    };
    const connector = new ScriptedConnector((attempt) => attempt.openWith(extension));
    const { clock } = connector;
    const client = new ScriptedClient(connector);
    const consumer = new Consumer(client, client);
    await clock.advanceAsync(100);
    const receivedAt = clock.wallNow();
    connector.attempt.deliver(frame({ opcode: OPCODE.text, rsv: 4, payload: "x" }));
    await clock.advanceAsync(700);
    decoded(Buffer.from("decoded"));
    await clock.settle();
    const event = consumer.find("text");
    assert.deepEqual([event?.text, event?.at, event?.receivedAt], ["decoded", 100, receivedAt]);
    client.terminate();
    await clock.settle();
  });

  test("A5: polls are emitted at `ready` and on a grid, independently of traffic, pings and the consumer", async () => {
    const { connector, clock, client } = opened({ pollInterval: 1000, pingInterval: 700, pingTimeout: null });
    const consumer = new Consumer(client, client);
    for (let step = 0; step < 35; step++) {
      await clock.advanceAsync(100);
      connector.attempt.deliver(text("noise"));
    }
    const polls = () =>
      consumer.seen.filter(({ event }) => event.type === "poll").map(({ event }) => event.at);
    assert.deepEqual(polls(), [0, 1000, 2000, 3000]);
    // An event loop that was blocked for several slots gets one poll for all of them, and the grid does not shift.
    clock.stall(3100);
    await clock.advanceAsync(1000);
    assert.deepEqual(polls(), [0, 1000, 2000, 3000, 6600, 7000]);
    assert.deepEqual(consumer.types.slice(0, 4), ["connecting", "connected", "ready", "poll"]);
    client.terminate();
    await clock.settle();
    connector.assertNothingLeft();
  });

  test("A5: without `pollInterval` polls come every 5,000 ms, with null never, and none before `ready`", async () => {
    for (const [pollInterval, expected] of [
      [undefined, [0, 5000, 10_000]],
      [null, []],
    ] as const) {
      const connector = new ScriptedConnector();
      const options = pollInterval === undefined ? { pollInterval: 5000 } : { pollInterval };
      const client = new ScriptedClient(connector, undefined, options);
      const consumer = new Consumer(client, client);
      await connector.clock.advanceAsync(7000);
      assert.deepEqual(consumer.types, ["connecting"]);
      connector.attempt.open();
      const openedAt = connector.clock.now();
      await connector.clock.advanceAsync(12_000);
      const polls = consumer.seen.filter(({ event }) => event.type === "poll");
      assert.deepEqual(
        polls.map(({ event }) => event.at - openedAt),
        expected,
      );
      client.terminate();
      await connector.clock.settle();
      connector.assertNothingLeft();
    }
  });

  test("A7: on `closing` the consumer can send, and the Close is answered when it asks for the next event", async () => {
    const { connector, clock, client } = opened();
    const busy = gate();
    const consumer = new Consumer(client, client, async (event) => {
      if (event.type !== "closing") return;
      await client.send("last words");
      await busy.promise;
      await client.sendJson({ really: "last" });
    });
    await clock.settle();
    connector.attempt.deliver(close(1001, "bye"));
    await clock.advanceAsync(4000);
    assert.deepEqual(connector.attempt.sent(), ["TEXT last words"]);
    assert.equal(client.state, "closing");
    busy.open();
    await clock.settle();
    assert.deepEqual(connector.attempt.sent(), ['TEXT {"really":"last"}', "CLOSE 1001 bye"]);
    assert.deepEqual(consumer.types.slice(3), ["closing", "closed"]);
    await assert.rejects(
      Promise.race([client.send("too late"), clock.settle().then(() => Promise.reject(new Error("waits")))]),
      { message: "waits" },
    );
    connector.attempt.transport.eof();
    await clock.settle();
    await consumer.finished;
    assert.deepEqual(consumer.types.slice(3), ["closing", "closed", "disconnected"]);
    connector.assertNothingLeft();
  });

  test("A7: a consumer that never asks for the next event holds the answer for half of closeTimeout", async () => {
    const { connector, clock, client } = opened({ closeTimeout: 10_000 });
    const never = gate();
    const consumer = new Consumer(client, client, (event) =>
      event.type === "closing" ? never.promise : undefined,
    );
    await clock.settle();
    connector.attempt.deliver(close(1000));
    await clock.advanceAsync(4999);
    assert.deepEqual(connector.attempt.sent(), []);
    await clock.advanceAsync(1);
    assert.deepEqual(connector.attempt.sent(), ["CLOSE 1000"]);
    await clock.advanceAsync(4999);
    assert.equal(connector.attempt.isLive, true);
    await clock.advanceAsync(1);
    assert.equal(connector.attempt.isLive, false);
    never.open();
    await clock.settle();
    await consumer.finished;
    assert.deepEqual(consumer.types.slice(3), ["closing", "closed", "disconnected"]);
    assert.equal(consumer.find("disconnected")?.info.cause, "peer-close");
    connector.assertNothingLeft();
  });

  test("A7, A9: a consumer that is busy with an earlier event holds the answer for a second", async () => {
    const { connector, clock, client } = opened();
    const busy = gate();
    const consumer = new Consumer(client, client, (event) =>
      event.type === "text" ? busy.promise : undefined,
    );
    await clock.settle();
    connector.attempt.deliver(text("work"), close(1000));
    await clock.advanceAsync(999);
    assert.deepEqual(connector.attempt.sent(), []);
    await clock.advanceAsync(1);
    assert.deepEqual(connector.attempt.sent(), ["CLOSE 1000"]);
    busy.open();
    connector.attempt.transport.eof();
    await clock.settle();
    await consumer.finished;
    assert.deepEqual(consumer.types.slice(3), ["text", "closing", "closed", "disconnected"]);
    connector.assertNothingLeft();
  });

  test("A7: FIN right after the peer's Close does not cut off the answer", async () => {
    const { connector, clock, client } = opened();
    const consumer = new Consumer(client, client, async (event) => {
      if (event.type === "closing") await client.send("last words");
    });
    await clock.settle();
    connector.attempt.transport.arrive(close(1000));
    connector.attempt.transport.arriveEof();
    await clock.settle();
    await consumer.finished;
    assert.deepEqual(connector.attempt.sent(), ["TEXT last words", "CLOSE 1000"]);
    assert.equal(consumer.find("disconnected")?.info.message, "received 1000 (OK); then sent 1000 (OK)");
    assert.equal(consumer.find("disconnected")?.error, null);
    connector.assertNothingLeft();
  });

  test("A7: close() on `closing` answers at once", async () => {
    const { connector, clock, client } = opened();
    const consumer = new Consumer(client, client, async (event) => {
      if (event.type === "closing") assert.equal((await client.close(4000))?.code, 1001);
    });
    await clock.settle();
    connector.attempt.deliver(close(1001));
    await clock.settle();
    assert.deepEqual(connector.attempt.sent(), ["CLOSE 1001"]);
    connector.attempt.transport.eof();
    await clock.settle();
    await consumer.finished;
    assert.equal(consumer.error, null);
    assert.deepEqual(consumer.types.slice(3), ["closing", "closed", "disconnected"]);
    connector.assertNothingLeft();
  });

  test("A7: leaving on `closing` answers with the peer's code, and the initiator is the peer", async () => {
    const aborter = new AbortController();
    const { connector, clock, client } = opened({ signal: aborter.signal });
    const consumer = new Consumer(client, client, (event) => {
      if (event.type === "closing") aborter.abort();
    });
    await clock.settle();
    connector.attempt.deliver(close(4000, "over"));
    await clock.settle();
    await consumer.finished;
    assert.deepEqual(connector.attempt.sent(), ["CLOSE 4000 over"]);
    assert.deepEqual(consumer.types.slice(3), ["closing", "disconnected"]);
    assert.equal(consumer.find("disconnected")?.info.cause, "peer-close");
    connector.assertNothingLeft();
  });

  test("A3: a client that is being closed never reports that it is open", async () => {
    const { connector, clock, client } = opened();
    const busy = gate();
    const consumer = new Consumer(client, client, (event) =>
      event.type === "connecting" ? busy.promise : undefined,
    );
    await clock.settle();
    void client.close();
    await clock.settle();
    assert.deepEqual(connector.attempt.sent(), ["CLOSE 1000"]);
    busy.open();
    await clock.settle();
    assert.deepEqual(
      consumer.seen.map(({ event, state }) => `${event.type} ${state}`),
      ["connecting connecting", "connected connecting", "ready closing"],
    );
    client.terminate();
    await clock.settle();
  });

  test("A9: while the consumer is busy, pings are answered, ours are sent, and the verdict is on time", async () => {
    const { connector, clock, client } = opened({ pingInterval: 1000, pingTimeout: 1500 });
    const busy = gate();
    const consumer = new Consumer(client, client, (event) =>
      event.type === "ready" ? busy.promise : undefined,
    );
    await clock.settle();
    connector.attempt.deliver(ping("are you there?"));
    await clock.advanceAsync(1000);
    assert.deepEqual(connector.attempt.sent(), ["PING (8 bytes)", "PONG are you there?", "PING (8 bytes)"]);
    await clock.advanceAsync(499);
    assert.equal(connector.attempt.isLive, true);
    await clock.advanceAsync(1);
    assert.equal(connector.attempt.isLive, false);
    busy.open();
    await clock.settle();
    await consumer.finished;
    assert.deepEqual(consumer.types.slice(3), ["ping", "unresponsive", "disconnected"]);
    assert.deepEqual(
      [consumer.find("unresponsive")?.at, consumer.find("unresponsive")?.silence],
      [1500, 1500],
    );
    connector.assertNothingLeft();
  });

  test("A9: a slow consumer pauses reading above maxQueue, and receives everything in order", async () => {
    const { connector, clock, client } = opened({ maxQueue: 8 });
    const busy = gate();
    const told: unknown[] = [];
    const consumer = new Consumer(client, client, async (event) => {
      if (event.type !== "ready") return;
      event.connection.on("paused", (details) => told.push(details));
      event.connection.on("resumed", (details) => told.push(details));
      await busy.promise;
    });
    await clock.settle();
    const { transport } = connector.attempt;
    for (let index = 0; index < 12; index++) transport.arrive(text(String(index)));
    await clock.settle();
    assert.equal(transport.isPaused, true);
    assert.deepEqual(told, [{ messages: 9, bytes: 9 }]);
    await clock.advanceAsync(500);
    busy.open();
    await clock.settle();
    assert.equal(transport.isPaused, false);
    assert.deepEqual(told, [{ messages: 9, bytes: 9 }, { duration: 500 }]);
    assert.deepEqual(
      consumer.seen.flatMap(({ event }) => (event.type === "text" ? [event.text] : [])),
      Array.from({ length: 12 }, (_, index) => String(index)),
    );
    client.terminate();
    await clock.settle();
    const evidence = consumer.find("disconnected")?.info.evidence;
    assert.equal(evidence?.messagesReceived, 12);
    connector.assertNothingLeft();
  });

  test("A9: while closing, the number of messages does not pause reading, so that the peer's Close is read", async () => {
    const { connector, clock, client } = opened({ maxQueue: 8 });
    const busy = gate();
    const consumer = new Consumer(client, client, (event) =>
      event.type === "ready" ? busy.promise : undefined,
    );
    await clock.settle();
    void client.close();
    for (let index = 0; index < 100; index++) connector.attempt.transport.arrive(text(String(index)));
    connector.attempt.transport.arrive(close(1000));
    connector.attempt.transport.arriveEof();
    await clock.settle();
    assert.equal(connector.attempt.isLive, false);
    busy.open();
    await consumer.finished;
    assert.deepEqual(consumer.types.slice(3), [...Array<string>(100).fill("text"), "closed", "disconnected"]);
    assert.equal(consumer.find("disconnected")?.info.message, "sent 1000 (OK); then received 1000 (OK)");
    assert.equal(consumer.find("disconnected")?.info.evidence.messagesUnread, 100);
    connector.assertNothingLeft();
  });

  test("A9, D8: a slow loop gets every message while the client closes, in bounded memory", async () => {
    const { connector, clock, client } = opened({ maxQueue: { messages: 4, bytes: 8_000 } });
    let most = 0;
    let core: ConnectionCore | null = null;
    const consumer = new Consumer(client, client, (event) => {
      if (event.type === "ready") core = coreOf(event.connection);
      if (event.type !== "text") return;
      if (event.text.startsWith("2.")) void client.close();
      most = Math.max(most, core?.evidence().messagesUnread ?? 0);
      const { runtime } = connector;
      return new Promise<void>((resolve) =>
        runtime.timers.set(new Alarm({ onAlarm: () => resolve() }), clock.now() + 25),
      );
    });
    await clock.settle();
    for (let index = 0; index < 300; index++)
      connector.attempt.transport.arrive(text(`${index}.`.padEnd(1_000)));
    connector.attempt.transport.arrive(close(1000));
    connector.attempt.transport.arriveEof();
    await clock.advanceAsync(9_000);
    await consumer.finished;
    assert.deepEqual(
      consumer.seen.flatMap(({ event }) => (event.type === "text" ? [parseInt(event.text, 10)] : [])),
      Array.from({ length: 300 }, (_, index) => index),
    );
    assert(most > 32 && most <= 64, `${most} messages waited`);
    assert.equal(consumer.find("disconnected")?.info.ok, true);
    connector.assertNothingLeft();
  });

  test("C10: a Ping behind more messages than maxQueue is answered after a second, however slow the loop is", async () => {
    const { connector, clock, client } = opened({ maxQueue: 4 });
    const busy = gate();
    const consumer = new Consumer(client, client, (event) =>
      event.type === "text" ? busy.promise : undefined,
    );
    await clock.settle();
    const { transport } = connector.attempt;
    transport.takeWritten();
    for (let index = 0; index < 40; index++) transport.arrive(text("x"));
    transport.arrive(ping("alive?"));
    await clock.advanceAsync(900);
    assert.deepEqual([transport.isPaused, transport.takeWritten().length], [true, 0]);
    await clock.advanceAsync(200);
    assert.deepEqual([transport.isPaused, transport.takeWritten().length], [false, 12]);
    busy.open();
    await clock.settle();
    assert.equal(consumer.types.filter((type) => type === "text").length, 40);
    client.terminate();
    await clock.settle();
    connector.assertNothingLeft();
  });

  test("A9, E3: queued events keep no more memory than they need", async () => {
    const { connector, clock, client } = opened();
    const busy = gate();
    const consumer = new Consumer(client, client, (event) =>
      event.type === "ready" ? busy.promise : undefined,
    );
    await clock.settle();
    connector.attempt.deliver(binary(new Uint8Array(10)), ping("p"), pong("q"), text("x".repeat(10_000)));
    busy.open();
    await clock.settle();
    const sizes = consumer.seen.flatMap(({ event }) => {
      if (event.type === "binary") return [event.data.buffer.byteLength];
      return event.type === "ping" || event.type === "pong" ? [event.payload.buffer.byteLength] : [];
    });
    // The payloads of control frames may share one of Node's buffer pools.
    assert(
      sizes.every((size) => size <= 8192),
      String(sizes),
    );
    assert.equal(sizes[0], 10);
    client.terminate();
    await clock.settle();
  });

  test('A8: with `text: "bytes"` a text is its UTF-8, and a string on request, queued or not', async () => {
    for (const isLate of [false, true]) {
      const { connector, clock, client } = opened({ text: "bytes" });
      const busy = gate();
      if (!isLate) busy.open();
      const consumer = new Consumer(client, client, (event) =>
        event.type === "ready" ? busy.promise : undefined,
      );
      await clock.settle();
      connector.attempt.deliver(text('"Grüße"'));
      busy.open();
      await clock.settle();
      const event = consumer.find("text");
      assert.deepEqual(
        [event?.text, event?.json(), event?.bytes?.length, consumer.types.slice(3)],
        ['"Grüße"', "Grüße", 9, ["text"]],
      );
      client.terminate();
      await clock.settle();
    }
  });

  test("A9: for a slow consumer, the newest pings, pongs and polls are kept", async () => {
    const { connector, clock, client } = opened({ pollInterval: 10 });
    const busy = gate();
    const consumer = new Consumer(client, client, (event) =>
      event.type === "ready" ? busy.promise : undefined,
    );
    await clock.settle();
    for (let index = 0; index < 1000; index++) {
      connector.attempt.deliver(ping(`ping ${index}`), pong(`pong ${index}`));
    }
    connector.attempt.deliver(text("behind"));
    await clock.advanceAsync(1000);
    busy.open();
    await clock.settle();
    const payloads = consumer.seen.flatMap(({ event }) =>
      event.type === "ping" || event.type === "pong" ? [Buffer.from(event.payload).toString()] : [],
    );
    const newest = Array.from({ length: 32 }, (_, index) => [`ping ${968 + index}`, `pong ${968 + index}`]);
    assert.deepEqual(payloads, newest.flat());
    assert.deepEqual(consumer.types.slice(-2), ["text", "poll"]);
    assert.equal(consumer.types.filter((type) => type === "poll").length, 1);
    client.terminate();
    await clock.settle();
  });

  test("A9: a closing that the consumer began continues while it is busy", async () => {
    const { connector, clock, client } = opened();
    const busy = gate();
    const consumer = new Consumer(client, client, (event) => {
      if (event.type !== "ready") return undefined;
      void client.close(4001, "enough");
      return busy.promise;
    });
    await clock.settle();
    assert.equal(client.state, "closing");
    assert.deepEqual(connector.attempt.sent(), ["CLOSE 4001 enough"]);
    connector.attempt.deliver(text("crossed"), close(4001, "enough"));
    connector.attempt.transport.eof();
    await clock.settle();
    assert.equal(connector.attempt.isLive, false);
    busy.open();
    await consumer.finished;
    assert.deepEqual(
      consumer.seen.slice(3).map(({ event, state }) => `${event.type} ${state}`),
      ["text closing", "closed closing", "disconnected closed"],
    );
    connector.assertNothingLeft();
  });

  test("B10: frames glued to the response are reported after `ready`, a Close too", async () => {
    const connector = new ScriptedConnector((attempt) =>
      attempt.open(text("first"), ping("p"), text("second"), close(1000)),
    );
    const client = new ScriptedClient(connector, undefined, { pollInterval: 1000 });
    const consumer = new Consumer(client, client);
    await connector.clock.settle();
    assert.deepEqual(consumer.types.slice(2), ["ready", "poll", "text", "ping", "text", "closing", "closed"]);
    client.terminate();
    await connector.clock.settle();
    await consumer.finished;
    connector.assertNothingLeft();
  });

  test("C9: a gap of our own process is reported", async () => {
    const { connector, clock, client } = opened({ pingInterval: 1000, pingTimeout: 1000 });
    const consumer = new Consumer(client, client);
    await clock.settle();
    clock.suspend(3_600_000);
    await clock.advanceAsync(1000);
    assert.equal(consumer.find("suspended")?.gap, 3_600_000);
    client.terminate();
    await clock.settle();
    connector.assertNothingLeft();
  });
});

describe("The methods of a client", () => {
  test("A1: between attempts they reject with InvalidStateError", async () => {
    const { connector, clock, client } = opened();
    const iterator = client[Symbol.asyncIterator]();
    const assertNotConnected = async (state: string) => {
      const refusal = (what: string) => ({
        name: "InvalidStateError",
        code: "ERR_HOLDFAST_INVALID_STATE",
        message: `Expected ${what} while the client is connected, got the state "${state}". Wait for the event "ready".`,
      });
      await assert.rejects(client.send("x"), refusal("send()"));
      await assert.rejects(client.sendJson({}), refusal("send()"));
      await assert.rejects(client.ping(), refusal("ping()"));
      assert.throws(() => client.pong(), refusal("pong()"));
      assert.deepEqual([client.latency, client.latencyStats.sent, client.bufferedAmount], [null, 0, 0]);
      assert.equal(client.state, state);
    };
    await assertNotConnected("closed");
    assert.equal(await client.close(), null);
    client.terminate();
    const first = iterator.next();
    await assertNotConnected("connecting");
    await first;
    await clock.settle();
    await iterator.next();
    await iterator.next();
    await client.send("now");
    await clock.settle();
    assert.deepEqual(connector.attempt.sent(), ["TEXT now"]);
    await left(clock, iterator);
    await assertNotConnected("closed");
  });

  test("A8: ping() and pong() use the connection, and `latency` is its latency", async () => {
    const { connector, clock, client } = opened();
    const consumer = new Consumer(client, client);
    await clock.settle();
    const roundTrip = client.ping("mine");
    client.pong("unasked");
    await clock.advanceAsync(30);
    assert.deepEqual(connector.attempt.sent().toSorted(), ["PING mine", "PONG unasked"]);
    connector.attempt.deliver(pong("mine"));
    assert.equal(await roundTrip, 30);
    await clock.settle();
    assert.equal(consumer.find("pong")?.roundTrip, 30);
    assert.equal(client.latency, 30);
    client.terminate();
    await clock.settle();
  });

  test("A8: sendJson() refuses what JSON cannot hold, and `json()` reads it back", async () => {
    const { connector, clock, client } = opened();
    const consumer = new Consumer(client, client);
    await clock.settle();
    const circular: { self?: unknown } = {};
    circular.self = circular;
    for (const value of [undefined, () => 1, Symbol("x")]) {
      await assert.rejects(client.sendJson(value), { name: "InvalidArgumentError" });
    }
    await assert.rejects(client.sendJson(circular), TypeError);
    await client.sendJson({ a: [1, null] });
    await clock.settle();
    assert.deepEqual(connector.attempt.sent(), ['TEXT {"a":[1,null]}']);
    connector.attempt.deliver(text('{"b":2}'), text("no json"));
    await clock.settle();
    assert.throws(() => consumer.find("text")?.json(), SyntaxError);
    const [first] = consumer.seen.flatMap(({ event }) => (event.type === "text" ? [event] : []));
    assert.deepEqual(first.json(), { b: 2 });
    client.terminate();
    await clock.settle();
  });

  test("D2: close() refuses a code that may not be sent, and the connection stays as it is", async () => {
    const { connector, clock, client } = opened();
    const consumer = new Consumer(client, client);
    await clock.settle();
    await assert.rejects(client.close(1005), { name: "InvalidArgumentError" });
    await assert.rejects(client.close(1000, "x".repeat(124)), { name: "InvalidArgumentError" });
    assert.equal(client.state, "open");
    assert.equal(consumer.isOver, false);
    client.terminate();
    await clock.settle();
    assert.deepEqual(connector.attempt.sent(), []);
  });

  test("A8: terminate() ends the connection without a Close, and a client's signal with one", async () => {
    const aborter = new AbortController();
    const { connector, clock, client } = opened({ signal: aborter.signal });
    for (const [end, sent] of [
      [() => client.terminate(), []],
      [() => aborter.abort(), ["CLOSE 1001"]],
    ] as const) {
      const consumer = new Consumer(client, client);
      await clock.settle();
      end();
      await clock.settle();
      await consumer.finished;
      assert.deepEqual(consumer.types.slice(3), ["disconnected"]);
      assert.equal(consumer.find("disconnected")?.info.cause, "aborted");
      assert.deepEqual(connector.attempt.sent(), sent);
      connector.assertNothingLeft();
    }
    const consumer = new Consumer(client, client);
    await consumer.finished;
    assert.deepEqual(consumer.types, []);
  });

  test("D2: an abort while connecting is a `connectFail`, in the same turn", async () => {
    const aborter = new AbortController();
    const connector = new ScriptedConnector();
    const client = new ScriptedClient(connector);
    const consumer = new Consumer(client.connect({ signal: aborter.signal }), client);
    await connector.clock.settle();
    aborter.abort(new Error("enough"));
    assert.equal(connector.attempt.isGivenUp, true);
    await connector.clock.settle();
    await consumer.finished;
    assert.deepEqual(consumer.types, ["connecting", "connectFail", "disconnected"]);
    const error = consumer.find("connectFail")?.error;
    assert(error instanceof HandshakeError);
    assert.deepEqual(
      {
        code: error.code,
        failure: error.failure,
        message: error.message,
        cause: (error.cause as Error).message,
      },
      {
        code: "ERR_HOLDFAST_ABORTED",
        failure: "aborted",
        message: "This side stopped before the connection to ws://example.com/ was open.",
        cause: "enough",
      },
    );
    const info = consumer.find("disconnected")?.info;
    assert.deepEqual([info?.cause, info?.initiator, info?.evidence.openedAt], ["aborted", "local", null]);
    connector.assertNothingLeft();
  });

  test("A1: options that no attempt could use are refused by the constructor", () => {
    const connector = new ScriptedConnector();
    const wrong = (options: object, message: RegExp) =>
      assert.throws(() => new ScriptedClient(connector, "ws://x/", options), {
        name: "InvalidArgumentError",
        message,
      });
    wrong({ pollInterval: 0 }, /Expected `pollInterval` to be a positive number of milliseconds/);
    wrong({ pingInterval: "20s" }, /Expected `pingInterval` to be a positive number/);
    wrong({ signal: 5 }, /Expected `signal` to be an AbortSignal/);
    assert.throws(() => new ScriptedClient(connector, 5 as never), {
      name: "InvalidArgumentError",
      message: "Expected `url` to be a string, a URL, or a function that returns one, got 5 (number).",
    });
  });

  test("F5: an invalid URL is reported as an attempt, before any I/O", async () => {
    const connector = new ScriptedConnector();
    const client = new ScriptedClient(connector, "nonsense");
    const consumer = new Consumer(client, client);
    await consumer.finished;
    assert.deepEqual(consumer.types, ["connecting", "connectFail", "disconnected"]);
    assert.equal(consumer.find("connecting")?.url, null);
    assert.equal(consumer.find("connectFail")?.error.name, "InvalidURLError");
    assert.deepEqual(connector.attempts, []);
  });
});
