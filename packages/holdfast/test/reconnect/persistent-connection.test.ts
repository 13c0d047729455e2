// connectPersistent(), on the fake clock.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConcurrencyError, TooSlowError } from "../../build/connection/errors.js";
import type { Connection } from "../../build/connection/connection.js";
import { HandshakeError, InvalidArgumentError, InvalidStatusError } from "../../build/shared/errors.js";
import { TextBytes } from "../../build/shared/text-bytes.js";
import { follow } from "../connection/harness.js";
import { messagesOf, PersistentHarness, textsIn } from "./persistent-harness.js";
import { close, pong, text } from "./scripted-connector.js";

const refused = () => new HandshakeError("refused", { failure: "refused" });
const rejected = (code: number) =>
  new InvalidStatusError(`got ${code}`, {
    status: code,
    headers: new Headers(),
    body: new Uint8Array(),
    retryAfter: null,
  });

describe("PersistentConnection.send()", () => {
  test("F9: messages sent without a connection wait, and are sent in order before later ones", async () => {
    const harness = new PersistentHarness();
    const first = harness.send("one");
    const second = harness.send("two");
    harness.link.on("open", () => void harness.send("three"));
    assert.deepEqual(harness.link.queued, { messages: 2, bytes: 6 });
    await harness.clock.settle();
    assert.deepEqual([first.fate, second.fate], ["pending", "pending"]);
    await harness.open();
    assert.deepEqual([first.fate, second.fate], ["sent", "sent"]);
    assert.deepEqual(messagesOf(harness.attempt), ["one", "two", "three"]);
    assert.deepEqual(harness.link.queued, { messages: 0, bytes: 0 });
    await harness.finish();
  });

  test("F9: the queue survives attempts that fail and connections that end", async () => {
    const harness = new PersistentHarness({}, (attempt) => {
      if (harness.connector.attempts.length < 4) attempt.fail(refused());
    });
    const message = harness.send("patient");
    await harness.clock.advanceAsync(60_000);
    await harness.open();
    assert.equal(message.fate, "sent");
    assert.equal(harness.connector.attempts.length, 4);
    await harness.cut();
    const later = harness.send("later");
    await harness.clock.advanceAsync(30_000);
    await harness.open();
    assert.equal(later.fate, "sent");
    assert.deepEqual(messagesOf(harness.attempt), ["later"]);
    await harness.finish();
  });

  test('F9: a message that no socket has got when the connection is lost waits for the next; one in a socket\'s buffer is "unknown"', async () => {
    const harness = new PersistentHarness();
    await harness.open();
    harness.attempt.transport.setCapacity(10_000);
    const large = harness.send("x".repeat(100_000));
    const second = harness.send("second");
    const third = harness.send("third");
    await harness.clock.settle();
    assert.deepEqual([large.fate, second.fate, third.fate], ["pending", "pending", "pending"]);
    await harness.cut();
    assert.deepEqual([large.fate, second.fate, third.fate], ["lost unknown", "pending", "pending"]);
    const later = harness.send("later");
    await harness.clock.advanceAsync(5_000);
    await harness.open();
    assert.deepEqual([second.fate, third.fate, later.fate], ["sent", "sent", "sent"]);
    assert.deepEqual(messagesOf(harness.attempt), ["second", "third", "later"]);
    await harness.finish();
  });

  test("F9: messages that wait within the connection for its socket are unsent, like those in the queue", async () => {
    const harness = new PersistentHarness({ writeLimit: 10 });
    await harness.open();
    harness.attempt.transport.setCapacity(0);
    const fates = ["one", "two", "three", "four"].map((data) => harness.send(data));
    await harness.clock.settle();
    await harness.cut();
    await harness.clock.advanceAsync(5_000);
    await harness.open();
    assert.deepEqual(
      fates.map(({ fate }) => fate),
      ["sent", "sent", "sent", "sent"],
    );
    const [before, after] = harness.connector.attempts.map(({ transport }) => textsIn(transport.written));
    assert.deepEqual([...(before ?? []), ...(after ?? [])], ["one", "two", "three", "four"]);
    assert(after !== undefined && after.length >= 2);
    await harness.finish();
  });

  test("F9: a message that is lost with its connection in the turn of the call was not passed to any socket", async () => {
    const harness = new PersistentHarness();
    await harness.open();
    const message = harness.send("late");
    harness.link.connection?.terminate();
    await harness.clock.settle();
    assert.equal(message.fate, "pending");
    assert.deepEqual(messagesOf(harness.attempt), []);
    await harness.clock.advanceAsync(5_000);
    await harness.open();
    assert.equal(message.fate, "sent");
    assert.deepEqual(messagesOf(harness.attempt), ["late"]);
    await harness.finish();
  });

  test("F9: the socket sets the pace: messages that it does not accept wait in the queue, which stays bounded", async () => {
    const harness = new PersistentHarness({ writeLimit: 100, queue: 3 });
    await harness.open();
    harness.attempt.transport.setCapacity(0);
    const messages = Array.from({ length: 6 }, (_, index) => harness.send(`${index}`.repeat(80)));
    await harness.clock.settle();
    // The socket has two, the connection's send queue one, the persistent connection's queue two.
    assert.deepEqual(
      messages.map(({ fate }) => fate),
      ["sent", "sent", "pending", "pending", "pending", "overflow unsent"],
    );
    assert.deepEqual(harness.link.queued, { messages: 2, bytes: 160 });
    harness.attempt.transport.setCapacity(Infinity);
    harness.attempt.transport.drain();
    await harness.clock.settle();
    assert.deepEqual(
      messages.map(({ fate }) => fate),
      ["sent", "sent", "sent", "sent", "sent", "overflow unsent"],
    );
    assert.deepEqual(
      messagesOf(harness.attempt).map((message) => message[0]),
      ["0", "1", "2", "3", "4"],
    );
    await harness.finish();
  });

  test("F9: many small messages in one turn need no queue: the socket accepts them", async () => {
    const harness = new PersistentHarness({ queue: 1 });
    await harness.open();
    const messages = Array.from({ length: 5_000 }, (_, index) =>
      harness.send(`message ${index} ${"x".repeat(40)}`),
    );
    await harness.clock.settle();
    assert(messages.every(({ fate }) => fate === "sent"));
    assert.equal(messagesOf(harness.attempt).length, 5_000);
    await harness.finish();
  });

  test("F9: a full queue rejects the new message, or drops the oldest", async () => {
    const failing = new PersistentHarness({ queue: { messages: 2, bytes: 10 } });
    const kept = [failing.send("12345"), failing.send("67890")];
    const refusedToo = [failing.send("x"), failing.send("too long for it")];
    await failing.clock.settle();
    assert.deepEqual(
      [...kept, ...refusedToo].map(({ fate }) => fate),
      ["pending", "pending", "overflow unsent", "overflow unsent"],
    );
    await failing.open();
    assert.deepEqual(messagesOf(failing.attempt), ["12345", "67890"]);
    await failing.finish();

    const dropping = new PersistentHarness({ queue: { messages: null, bytes: 10 }, overflow: "drop-oldest" });
    const messages = ["12345", "67", "890", "too long for it", "1234567"].map((data) => dropping.send(data));
    await dropping.clock.settle();
    assert.deepEqual(
      messages.map(({ fate }) => fate),
      ["overflow unsent", "overflow unsent", "pending", "overflow unsent", "pending"],
    );
    await dropping.open();
    assert.deepEqual(messagesOf(dropping.attempt), ["890", "1234567"]);
    await dropping.finish();
  });

  test('F9: `offline: "reject"` accepts nothing without a connection, and keeps nothing of a lost one', async () => {
    const harness = new PersistentHarness({ offline: "reject", writeLimit: 10 });
    const early = harness.send("early");
    await harness.open();
    const sent = harness.send("sent");
    await harness.clock.settle();
    harness.attempt.transport.setCapacity(0);
    const halfway = harness.send("x".repeat(100_000));
    const behind = harness.send("behind it");
    await harness.clock.settle();
    await harness.cut();
    assert.deepEqual(
      [early, sent, halfway, behind, harness.send("now")].map(({ fate }) => fate).slice(0, 4),
      ["offline unsent", "sent", "lost unknown", "lost unsent"],
    );
    await harness.finish();
  });

  test("F9: a message that waits longer than its time to live is dropped, exactly to the millisecond", async () => {
    const harness = new PersistentHarness({ timeToLive: 1_000 });
    const byDefault = harness.send("a second");
    const longer = harness.send("ten", { timeToLive: 10_000 });
    const forever = harness.send("for ever", { timeToLive: null });
    await harness.clock.advanceAsync(999);
    assert.equal(byDefault.fate, "pending");
    await harness.clock.advanceAsync(1);
    assert.equal(byDefault.fate, "expired unsent");
    await harness.clock.advanceAsync(9_000);
    assert.equal(longer.fate, "expired unsent");
    await harness.open();
    assert.deepEqual([forever.fate, messagesOf(harness.attempt)], ["sent", ["for ever"]]);
    await harness.finish();
  });

  test("F9: an abort cancels an unsent message, also in the send queue of the connection", async () => {
    const harness = new PersistentHarness({ writeLimit: 1_000 });
    const aborter = new AbortController();
    const { signal } = aborter;
    const waiting = harness.send("waiting", { signal });
    aborter.abort();
    const late = harness.send("late", { signal });
    await harness.clock.settle();
    assert.deepEqual([waiting.fate, late.fate], ["aborted unsent", "aborted unsent"]);
    await harness.open();
    harness.attempt.transport.setCapacity(0);
    const inSocket = harness.send("in the socket");
    await harness.clock.settle();
    assert.equal(inSocket.fate, "sent"); // Below `writeLimit`.
    const other = new AbortController();
    const inBacklog = harness.send("x".repeat(2_000), { signal: other.signal });
    const behind = harness.send("behind");
    await harness.clock.settle();
    other.abort();
    await harness.clock.settle();
    assert.deepEqual([inBacklog.fate, behind.fate], ["aborted unsent", "pending"]);
    harness.attempt.transport.setCapacity(Infinity);
    harness.attempt.transport.drain();
    await harness.clock.settle();
    assert.deepEqual([behind.fate, messagesOf(harness.attempt)], ["sent", ["in the socket", "behind"]]);
    await harness.finish();
  });

  test("F9: bytes that wait may be changed by the caller; text bytes stay text", async () => {
    const harness = new PersistentHarness();
    const bytes = Buffer.from("before");
    void harness.link.send(bytes.subarray(0, 3));
    void harness.link.send(new TextBytes(bytes));
    bytes.fill("x");
    await harness.open();
    assert.deepEqual(harness.attempt.sent(), ["BINARY bef", "TEXT before"]);
    await harness.finish();
  });

  test("F9: a send that nobody awaits does not end the process, and invalid data is rejected at once", async () => {
    const harness = new PersistentHarness({ queue: 1 });
    void harness.link.send("one");
    void harness.link.send("one too many"); // Would be an unhandled rejection, which fails this file.
    await assert.rejects(harness.link.send(5 as unknown as string), InvalidArgumentError);
    await assert.rejects(harness.link.send(["piece"] as unknown as string), /on `connection` only/);
    await assert.rejects(harness.link.send("", { timeToLive: -1 }), /timeToLive/);
    await harness.open();
    await assert.rejects(harness.link.send(new TextBytes([0xff])), InvalidArgumentError);
    assert.equal(harness.link.status.state, "open");
    await harness.finish();
  });

  test("F9: after close() nothing is accepted; earlier messages are still sent, before the Close", async () => {
    const harness = new PersistentHarness({ writeLimit: 10 });
    await harness.open();
    harness.attempt.transport.setCapacity(0);
    const messages = [harness.send("a long first message"), harness.send("second"), harness.send("third")];
    void harness.link.close();
    assert.equal(harness.send("after").fate, "pending");
    await harness.clock.settle();
    harness.attempt.transport.setCapacity(Infinity);
    harness.attempt.transport.drain();
    await harness.clock.settle();
    assert.deepEqual(
      messages.map(({ fate }) => fate),
      ["sent", "sent", "sent"],
    );
    assert.deepEqual(harness.attempt.sent(), [
      "TEXT a long first message",
      "TEXT second",
      "TEXT third",
      "CLOSE 1000",
    ]);
    const after = harness.send("after");
    await harness.finish();
    assert.equal(after.fate, "closed unsent");
  });
});

describe("PersistentConnection: receiving", () => {
  test("F9: one loop over the messages of all connections; it ends when this side closes", async () => {
    const harness = new PersistentHarness();
    const seen: unknown[] = [];
    const over = follow(
      (async () => {
        for await (const message of harness.link) seen.push(message);
      })(),
    );
    await harness.open();
    harness.attempt.deliver(text("one"), text("two"));
    await harness.reopen();
    harness.attempt.deliver(text("three"));
    await harness.clock.settle();
    assert.deepEqual([seen, over.outcome], [["one", "two", "three"], { status: "pending" }]);
    await harness.finish();
    assert.equal(over.outcome.status, "fulfilled");
    await assert.rejects(harness.link.recv(), { name: "ConnectionClosedOK" });
  });

  test("F9: messages received before a connection was lost are read first, then those of the next one", async () => {
    const harness = new PersistentHarness();
    await harness.clock.settle();
    harness.attempt.open(text("glued"));
    harness.attempt.deliver(text("early"));
    await harness.clock.settle();
    await harness.reopen();
    harness.attempt.deliver(text("late"));
    await harness.clock.settle();
    const seen = [await harness.link.recv(), await harness.link.recv(), await harness.link.recv()];
    assert.deepEqual(seen, ["glued", "early", "late"]);
    await assert.rejects(harness.link.recv({ signal: AbortSignal.abort("enough") }), (e) => e === "enough");
    await harness.finish();
  });

  test("F9: a reader is slow: the inbox stays bounded across connections, and the next one is not read", async () => {
    const harness = new PersistentHarness({ maxQueue: { messages: 4, bytes: 60_000 } });
    const first = harness.link.recv();
    await harness.open();
    harness.attempt.deliver(text("first"));
    assert.equal(await first, "first");
    await harness.cut();
    await harness.clock.advanceAsync(30_000);
    for (let round = 0; round < 5; round++) {
      await harness.open();
      for (let index = 0; index < 10; index++)
        harness.attempt.transport.arrive(text(`${round}.${index}`.padEnd(13_000)));
      await harness.clock.settle();
      assert.equal(harness.attempt.transport.isPaused, true, `round ${round}`);
      await harness.cut();
      await harness.clock.advanceAsync(30_000);
    }
    const seen: unknown[] = [];
    const reading = harness.link.forEach((message) => void seen.push(String(message).trimEnd()));
    await harness.clock.settle();
    assert.deepEqual(seen.slice(0, 5), ["0.0", "0.1", "0.2", "0.3", "0.4"]);
    assert(seen.length <= 10, `${seen.length} messages`);
    await harness.open();
    harness.attempt.deliver(text("fresh"));
    assert.equal(seen.at(-1), "fresh");
    await harness.finish();
    assert.equal((await reading).ok, true);
  });

  test("F9, E4: a link that nobody reads for long loses nothing, in bounded memory", async () => {
    const harness = new PersistentHarness({ maxQueue: { messages: 4, bytes: 8_000 } });
    await harness.open();
    for (let index = 0; index < 300; index++)
      harness.attempt.transport.arrive(text(String(index).padEnd(1_000)));
    await harness.clock.advanceAsync(60_000);
    assert.equal(harness.attempt.transport.isPaused, true);
    const seen: number[] = [];
    const reading = harness.link.forEach((message) => void seen.push(Number(message)));
    await harness.clock.advanceAsync(1_000);
    assert.deepEqual(
      seen,
      Array.from({ length: 300 }, (_, index) => index),
    );
    await harness.finish();
    assert.equal((await reading).ok, true);
  });

  test("D10, F9: close() of a link that nobody reads takes a second, and a later reader learns what is missing", async () => {
    const harness = new PersistentHarness({ maxQueue: { messages: 4, bytes: 8_000 } });
    await harness.open();
    for (let index = 0; index < 300; index++)
      harness.attempt.transport.arrive(text(String(index).padEnd(1_000)));
    await harness.clock.advanceAsync(60_000);
    void harness.link.close();
    harness.attempt.transport.arrive(close(1000));
    harness.attempt.transport.arriveEof();
    await harness.clock.advanceAsync(1_100);
    const info = await harness.link.closed;
    assert.deepEqual([info.ok, info.evidence.messagesUnread], [true, 300]);
    const seen: number[] = [];
    await assert.rejects(
      harness.link.forEach((message) => void seen.push(Number(message))),
      (error) => String(error).includes(`so that ${300 - seen.length} messages were dropped`),
    );
    assert.deepEqual(
      seen,
      Array.from(seen, (_, index) => index),
    );
    harness.assertNothingLeft();
  });

  test("F5, F9: a fatal error ends the loop with that error", async () => {
    const harness = new PersistentHarness({}, (attempt) => attempt.fail(rejected(403)));
    const message = harness.send("never");
    await assert.rejects(async () => {
      for await (const _ of harness.link) assert.fail("There is nothing to read");
    }, /got 403/);
    const { error, info } = harness.link.status.state === "closed" ? harness.link.status : assert.fail();
    assert.deepEqual([error?.name, info.cause], ["InvalidStatusError", "rejected"]);
    assert.equal(await harness.link.closed, info);
    assert.equal(harness.link.signal.reason, error);
    assert.equal(message.fate, "closed unsent");
    harness.assertNothingLeft();
  });
});

describe("PersistentConnection: status", () => {
  test("F9: every change is reported, and the snapshot matches it", async () => {
    const harness = new PersistentHarness({}, (attempt) => {
      if (harness.connector.attempts.length === 2) attempt.fail(refused());
    });
    await harness.open();
    assert.equal(harness.link.connection?.state, "open");
    await harness.cut();
    const waiting = harness.link.status;
    assert(waiting.state === "waiting");
    const { delay, since, retryAt, info, error, ...rest } = waiting;
    assert.deepEqual(rest, { state: "waiting", attempt: 1, requestedByServer: false });
    assert.deepEqual([info.cause, error.name], ["reset", "ConnectionClosedError"]);
    assert.equal(retryAt, since + delay);
    await harness.clock.advanceAsync(delay);
    assert.deepEqual(harness.states, ["connecting", "open", "waiting", "connecting", "waiting"]);
    assert.equal(harness.link.status.state === "waiting" && harness.link.status.attempt, 2);
    await harness.finish();
    assert.deepEqual(harness.states.slice(5), ["closed"]);
  });

  test("F9: the peer's Close is answered, and another connection follows", async () => {
    const harness = new PersistentHarness();
    const ended: string[] = [];
    harness.link.on("disconnected", ({ info }) => ended.push(info.message));
    await harness.open();
    const sent = harness.send("x");
    harness.attempt.deliver(close(1001, "restart"));
    await harness.clock.settle();
    assert.deepEqual(harness.attempt.sent(), ["TEXT x", "CLOSE 1001 restart"]);
    assert.equal(sent.fate, "sent");
    const meanwhile = harness.send("for the next one");
    assert.deepEqual(
      harness.link.queued,
      { messages: 1, bytes: 16 },
      "not with the connection that is closing",
    );
    harness.attempt.transport.eof();
    await harness.clock.settle();
    assert.deepEqual(ended, ["received 1001 (going away) restart; then sent 1001 (going away) restart"]);
    assert.equal(harness.link.status.state, "waiting");
    await harness.clock.advanceAsync(5_000);
    await harness.open();
    assert.equal(meanwhile.fate, "sent");
    await harness.finish();
  });

  test("F6: close(), terminate() and an abort end it in the same turn: while connecting, while waiting, while open", async () => {
    for (const end of ["close", "terminate", "abort"]) {
      for (const state of ["connecting", "waiting", "open"]) {
        const aborter = new AbortController();
        const harness = new PersistentHarness({ signal: aborter.signal });
        await harness.clock.settle();
        if (state !== "connecting") await harness.open();
        if (state === "waiting") await harness.cut();
        assert.equal(harness.link.status.state, state);
        const message = state === "open" ? null : harness.send("x");
        if (end === "close") void harness.link.close(1000, "bye");
        if (end === "terminate") harness.link.terminate();
        if (end === "abort") aborter.abort(new Error("enough"));
        const isHandshake = state === "open" && end !== "abort";
        assert.equal(harness.link.status.state, isHandshake ? "closing" : "closed", `${end}, ${state}`);
        await harness.clock.settle();
        if (state === "open" && end === "close") harness.attempt.deliver(close(1000));
        if (state === "open") harness.attempt.transport.eof();
        await harness.clock.settle();
        if (message !== null) assert.equal(message.fate, "closed unsent");
        const { length } = harness.connector.attempts;
        harness.assertNothingLeft();
        await harness.clock.advanceAsync(60_000);
        assert.equal(harness.connector.attempts.length, length);
        harness.link.terminate();
        await harness.link.close();
      }
    }
  });

  test("F6: a signal that is aborted already opens nothing", async () => {
    const harness = new PersistentHarness({ signal: AbortSignal.abort() });
    assert.equal(harness.link.status.state, "closed");
    await harness.clock.settle();
    assert.equal(harness.connector.attempts.length, 0);
    harness.assertNothingLeft();
  });

  test("F6: a listener may close it at any change", async () => {
    for (const when of ["connecting", "open", "waiting"]) {
      const harness = new PersistentHarness();
      harness.link.on("status", ({ state }) => void (state === when && harness.link.close()));
      await harness.open();
      if (when !== "open") {
        await harness.cut();
        await harness.clock.advanceAsync(5_000);
      }
      await harness.finish();
      assert.equal(harness.connector.attempts.length, when === "connecting" ? 1 : 1);
    }
  });

  test("C14, F9: latency is that of this connection, its statistics those of all", async () => {
    const harness = new PersistentHarness({ pingInterval: 1_000, pingTimeout: 1_000 });
    for (const roundTrip of [10, 30]) {
      await harness.open();
      const measured = harness.link.connection?.ping("mine");
      await harness.clock.advanceAsync(roundTrip);
      harness.attempt.deliver(pong("mine"));
      assert.equal(await measured, roundTrip);
      assert.equal(harness.link.latency, roundTrip);
      await harness.cut();
      assert.equal(harness.link.latency, null);
      await harness.clock.advanceAsync(5_000);
    }
    const { last, min, max, sent, answered, lost } = harness.link.latencyStats;
    // On each connection: the keepalive's first ping and our own, whose pong answers both.
    assert.deepEqual(
      { last, min, max, sent, answered, lost },
      { last: 30, min: 10, max: 30, sent: 4, answered: 4, lost: 0 },
    );
    await harness.finish();
  });
});

describe("PersistentConnection: onOpen", () => {
  test("F9: its messages are sent before all queued ones, and it can wait for an answer", async () => {
    const contexts: unknown[] = [];
    const onOpen = async (
      connection: Connection,
      { attempt, isFirst }: { attempt: number; isFirst: boolean },
    ) => {
      contexts.push({ attempt, isFirst });
      await connection.send("login");
      assert.equal(await connection.recv(), "welcome");
      await connection.send("subscribe");
    };
    const harness = new PersistentHarness({ onOpen });
    const message = harness.send("queued");
    for (const isFirst of [true, false]) {
      await harness.open();
      assert.deepEqual([harness.link.status.state, messagesOf(harness.attempt)], ["connecting", ["login"]]);
      harness.attempt.deliver(text("welcome"), text("news"));
      await harness.clock.settle();
      assert.equal(harness.link.status.state, "open");
      assert.deepEqual(messagesOf(harness.attempt), ["login", "subscribe", ...(isFirst ? ["queued"] : [])]);
      assert.equal(await harness.link.recv(), "news");
      await harness.cut();
      await harness.clock.advanceAsync(5_000);
    }
    assert.equal(message.fate, "sent");
    assert.deepEqual(contexts, [
      { attempt: 1, isFirst: true },
      { attempt: 2, isFirst: false },
    ]);
    await harness.finish();
  });

  test("F5: an error that it throws ends the connection, and `retryable` decides about another one", async () => {
    const failure = new Error("wrong password");
    for (const isRetried of [true, false]) {
      const harness = new PersistentHarness({
        onOpen: () => Promise.reject(failure),
        retryable: (error) => (assert.equal(error, failure), isRetried),
      });
      const message = harness.send("x");
      await harness.open();
      const { status } = harness.link;
      assert.equal(status.state, isRetried ? "waiting" : "closed");
      assert.equal("error" in status && status.error, failure);
      assert.deepEqual(
        [message.fate, messagesOf(harness.attempt)],
        [isRetried ? "pending" : "closed unsent", []],
      );
      await harness.finish();
    }
  });

  test("F8: the end of the connection while it waits is not an error of onOpen; a reader that it leaves behind is", async () => {
    const harness = new PersistentHarness({ onOpen: (connection) => connection.recv() });
    await harness.open();
    await harness.cut();
    const { status } = harness.link;
    assert.equal(status.state === "waiting" && status.info.cause, "reset");
    await harness.finish();

    const greedy = new PersistentHarness({
      onOpen: (connection) => void connection.forEach(() => undefined),
    });
    await greedy.open();
    assert.equal(
      greedy.link.status.state === "waiting" && greedy.link.status.error instanceof ConcurrencyError,
      true,
    );
    await greedy.finish();
  });

  test("F9: messages that it leaves unread are delivered if the socket ends before it fulfils, and dropped if it rejects", async () => {
    const settlers: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
    const onOpen = async (connection: Connection) => {
      await new Promise<void>((resolve, reject) => settlers.push({ resolve, reject }));
      assert.equal(await connection.recv(), "welcome");
    };
    const harness = new PersistentHarness({ onOpen });
    for (const name of ["first", "second"]) {
      await harness.open();
      harness.attempt.deliver(text("welcome"), text(name), text(`${name} again`));
      await harness.cut();
      await harness.clock.advanceAsync(5_000);
    }
    await harness.open();
    settlers[0]?.reject(new Error("too late"));
    settlers[1]?.resolve();
    await harness.clock.settle();
    assert.equal(harness.link.status.state, "connecting");
    harness.attempt.deliver(text("welcome"), text("third"));
    settlers[2]?.resolve();
    await harness.clock.settle();
    assert.equal(harness.link.status.state, "open");
    const received: unknown[] = [];
    for (let count = 0; count < 3; count++) received.push(await harness.link.recv());
    assert.deepEqual(received, ["second", "second again", "third"]);
    await harness.finish();
  });

  test("F6: close() while it waits closes the connection", async () => {
    const harness = new PersistentHarness({ onOpen: () => new Promise(() => undefined) });
    await harness.open();
    const message = harness.send("x");
    await harness.finish();
    assert.deepEqual(harness.states, ["connecting", "closing", "closed"]);
    assert.equal(message.fate, "closed unsent");
  });
});

describe("PersistentConnection.probe()", () => {
  test("F9: while waiting, the next attempt begins at once, and the backoff continues where it was", async () => {
    const harness = new PersistentHarness({ minDelay: 1_000 }, (attempt) => attempt.fail(refused()));
    await harness.clock.settle();
    for (let count = 1; count <= 3; count++) {
      assert.equal(harness.connector.attempts.length, count);
      assert.equal(harness.link.status.state === "waiting" && harness.link.status.attempt, count);
      if (count === 2) harness.connector.returnNetwork();
      else harness.link.probe();
      await harness.clock.settle();
    }
    await harness.finish();
  });

  test("F9: an open connection that answers stays; one that does not is replaced at once", async () => {
    const harness = new PersistentHarness({ probeTimeout: 2_000 });
    await harness.open();
    harness.link.probe();
    harness.link.probe();
    await harness.clock.settle();
    const pings = harness.attempt.transport.taken;
    assert.equal(harness.attempt.sent().length, 1);
    await harness.clock.advanceAsync(1_999);
    harness.attempt.deliver(pong(unmasked(pings)));
    await harness.clock.advanceAsync(60_000);
    assert.deepEqual([harness.link.status.state, harness.connector.attempts.length], ["open", 1]);

    const before = harness.attempt;
    harness.link.probe();
    await harness.clock.advanceAsync(1_999);
    assert.equal(harness.link.status.state, "open");
    const infos: string[] = [];
    const unsubscribe = harness.link.on("disconnected", ({ info, error }) => {
      infos.push(info.cause);
      assert(error instanceof TooSlowError);
    });
    await harness.clock.advanceAsync(1);
    assert.deepEqual([harness.link.status.state, infos], ["connecting", ["heartbeat-timeout"]]);
    assert.deepEqual([harness.connector.attempts.length, before.isLive], [2, false]);
    unsubscribe();
    await harness.open();
    await harness.finish();
  });

  test("F9: an attempt that has taken too long starts again, a recent one continues", async () => {
    const harness = new PersistentHarness({ probeTimeout: 2_000 });
    await harness.clock.advanceAsync(1_999);
    harness.link.probe();
    await harness.clock.settle();
    assert.equal(harness.connector.attempts.length, 1);
    await harness.clock.advanceAsync(1);
    harness.link.probe();
    await harness.clock.settle();
    assert.deepEqual(
      harness.connector.attempts.map(({ isLive }) => isLive),
      [false, true],
    );
    await harness.finish();
    harness.link.probe();
  });
});

describe("Reading a PersistentConnection", () => {
  test("E7: a loop that is left while it waits leaves the message to the next reader", async () => {
    const harness = new PersistentHarness();
    await harness.open();
    const iterator = harness.link[Symbol.asyncIterator]();
    const next = iterator.next();
    const done = { value: undefined, done: true };
    assert.deepEqual([await iterator.return?.(), await next], [done, done]);
    harness.attempt.deliver(text("message"));
    assert.equal(await harness.link.recv(), "message");
    await harness.finish();
  });
});

describe("connectPersistent(): options", () => {
  test("F9: an invalid one is rejected by name at once", () => {
    for (const [options, message] of [
      [{ offline: "drop" }, /`offline` to be "queue" or "reject"/],
      [{ overflow: "drop" }, /`overflow` to be "fail" or "drop-oldest"/],
      [{ queue: 0 }, /`queue` to be a positive whole number/],
      [{ queue: { bytes: -1 } }, /`queue\.bytes` to be/],
      [{ timeToLive: 0 }, /`timeToLive` to be/],
      [{ onOpen: 5 }, /`onOpen` to be a function/],
      [{ probeTimeout: null }, /`probeTimeout` to be a positive/],
      [{ firstDelay: -1 }, /`firstDelay`/],
    ] as const) {
      assert.throws(() => new PersistentHarness(options as object), message);
    }
    const harness = new PersistentHarness();
    assert.throws(
      () => harness.link.on("nothing" as "status", () => undefined),
      /`event` to be "status".*\. Read messages with `for await`/,
    );
    harness.link.terminate();
  });
});

/** The payload of the one masked frame. */
function unmasked(frame: Uint8Array): Uint8Array {
  const mask = frame.subarray(2, 6);
  return frame.subarray(6).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
}
