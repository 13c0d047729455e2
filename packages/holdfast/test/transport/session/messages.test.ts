import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { coreOf } from "../../../build/connection/core-of.js";
import { ConnectionClosedError, NotSentError, SessionLostError } from "../../../build/index.js";
import type { ServerSessionTransport } from "../../../build/transport/session/server-session-transport.js";
import { eventually } from "holdfast-testkit";
import { receive, SessionPair } from "./session-pair.js";

describe("The messages of a session", { timeout: 300_000 }, () => {
  test("L1: text, binary, compressed and broadcast messages keep their order across a cut", async () => {
    await using pair = await SessionPair.open({
      server: { compression: true },
      client: { compression: true },
    });
    const long = "many words ".repeat(500);
    const send = async () => {
      await pair.connection.send("text");
      pair.server.broadcast("to all");
      await pair.connection.send(new Uint8Array([1, 2, 3]));
      await pair.connection.send(long);
      pair.server.broadcast(long);
    };
    const sent = ["text", "to all", new Uint8Array([1, 2, 3]), long, long];
    await send();
    await pair.cut();
    await send();
    await pair.reconnect();
    await send();
    assert.deepEqual(await receive(pair.client, 15), [...sent, ...sent, ...sent]);
    for (const each of [long, "text", new Uint8Array(5)]) void pair.client.send(each);
    await pair.cut();
    void pair.client.send(long);
    await pair.reconnect();
    assert.deepEqual(await receive(pair.connection, 4), [long, "text", new Uint8Array(5), long]);
  });

  test("L1: text that begins with the mark of link messages arrives as it was sent, also when sent again", async () => {
    await using pair = await SessionPair.open();
    await pair.connection.send("\u0016ack 99");
    pair.server.broadcast("\u0016end");
    await pair.cut();
    await pair.connection.send("\u0016moved");
    await pair.reconnect();
    assert.deepEqual(await receive(pair.client, 3), ["\u0016ack 99", "\u0016end", "\u0016moved"]);
  });

  test('L3: `until: "delivered"` resolves once the peer has confirmed the message, also across a cut', async () => {
    await using pair = await SessionPair.open();
    let isDelivered = false;
    pair.proxy.blackhole("toServer");
    const sent = pair.client.send("c1", { until: "delivered" }).then(() => (isDelivered = true));
    await pair.client.send("c2");
    assert.equal(isDelivered, false);
    pair.proxy.thaw();
    await pair.cut();
    assert.equal(isDelivered, false);
    await pair.reconnect();
    await sent;
    assert.deepEqual(await receive(pair.connection, 2), ["c1", "c2"]);
    await pair.connection.send("s1", { until: "delivered" });
    assert.deepEqual(await receive(pair.client, 1), ["s1"]);
  });

  test("L3: a send that waits for room is not rejected by a cut: the session keeps its message", async () => {
    await using pair = await SessionPair.open({ server: { writeLimit: 1024 } });
    pair.proxy.freeze("toClient");
    // More than the kernel takes: the last ones wait.
    const sends = Array.from({ length: 200 }, () => pair.connection.send(new Uint8Array(64 * 1024)));
    const received = receive(pair.client, 200);
    let settled = 0;
    for (const send of sends) void send.then(() => settled++);
    await eventually(() => pair.connection.bufferedAmount > 1024 * 1024, "full buffers");
    assert.ok(settled < 200);
    pair.proxy.thaw();
    await pair.cut();
    await pair.reconnect();
    await Promise.all(sends);
    assert.equal((await received).length, 200);
  });

  test("L3: an iterable resolves once it was confirmed", async () => {
    await using pair = await SessionPair.open();
    await pair.connection.send(["one ", "message"]);
    await pair.client.connection?.send([new Uint8Array([1]), new Uint8Array([2])]);
    assert.deepEqual(await receive(pair.client, 1), ["one message"]);
    assert.deepEqual(await receive(pair.connection, 1), [new Uint8Array([1, 2])]);
  });

  test("L3: an iterable that is cut off is reported as unsent, is not received, and nothing after it is lost", async () => {
    await using pair = await SessionPair.open();
    let go = (): void => undefined;
    const cut = new Promise<void>((resolve) => (go = resolve));
    const pieces = async function* () {
      yield "one ";
      yield "two ";
      await cut;
      yield "three";
    };
    const sent = pair.connection.send(pieces());
    const later = pair.connection.send("later");
    await eventually(
      () => pair.client.connection !== null && pair.proxy.forwarded.toClient > 0,
      "the beginning",
    );
    await pair.cut();
    go();
    await assert.rejects(sent, CUT_OFF);
    await later;
    await pair.reconnect();
    await pair.connection.send(["fresh ", "pieces"]);
    assert.deepEqual(await receive(pair.client, 2), ["later", "fresh pieces"]);
    assert.equal(pair.client.session?.position, 3); // The one that was cut off counts.
    assert.equal(pair.connections.length, 1);
  });

  test("L3: a complete iterable whose socket dies before it arrives is unsent as well", async () => {
    await using pair = await SessionPair.open();
    pair.proxy.blackhole("toClient");
    const sent = pair.connection.send(["one ", "two"]);
    await eventually(() => pair.connection.traffic.messagesSent === 1, "the last fragment");
    pair.proxy.thaw();
    await pair.cut();
    await pair.reconnect();
    await assert.rejects(sent, CUT_OFF);
    await pair.connection.send("later");
    assert.deepEqual(await receive(pair.client, 1), ["later"]);
  });

  test("L3: an iterable of the client that is cut off is unsent, and the messages behind it go on the next socket", async () => {
    await using pair = await SessionPair.open();
    const pieces = async function* () {
      yield "one ";
      yield "two ";
      await new Promise<never>(() => undefined);
    };
    const isBegun = async (): Promise<void> => {
      const forwarded = pair.proxy.forwarded.toServer;
      await eventually(() => pair.proxy.forwarded.toServer > forwarded, "the beginning");
    };
    const begun = isBegun();
    const sent = pair.client.connection?.send(pieces());
    const behind = pair.client.connection?.send("behind");
    const first = pair.client.send("first");
    const second = pair.client.send("second");
    await begun;
    await pair.cut();
    const fates = Promise.allSettled([sent, behind]);
    await assert.rejects(sent ?? SENT, (error: NotSentError) => {
      assert.ok(error.cause instanceof ConnectionClosedError);
      return Object.entries(CUT_OFF).every(([name, value]) => error[name as keyof typeof CUT_OFF] === value);
    });
    const [, { reason }] = (await fates) as PromiseRejectedResult[];
    assert.ok(reason instanceof ConnectionClosedError); // It belongs to the connection that has ended.
    await pair.reconnect();
    await Promise.all([first, second]);
    await pair.client.send("third");
    assert.deepEqual(await receive(pair.connection, 3), ["first", "second", "third"]);
  });

  test("L3: an iterable is sent that the client sends before the server has answered its first word", async () => {
    await using pair = await SessionPair.begin();
    while (pair.client.connection === null) await setImmediate();
    await pair.client.connection?.send(["one ", "message"]);
    assert.deepEqual(await receive(pair.connection, 1), ["one message"]);
  });

  test("L3: an iterable of the client that was complete at the cut resolves if the server has received it", async () => {
    await using pair = await SessionPair.open();
    pair.proxy.blackhole("toClient"); // The server receives the message, and its ack is lost.
    const sent = pair.client.connection?.send(["one ", "two"]);
    assert.deepEqual(await receive(pair.connection, 1), ["one two"]);
    pair.proxy.thaw();
    await pair.cut();
    await pair.reconnect();
    await sent;
  });

  test("L2: with a full window senders wait, and go on as it drains; so does an iterable", async () => {
    await using pair = await SessionPair.open({
      client: { session: { window: { messages: 4, bytes: 1024 * 1024 } } },
    });
    const texts = Array.from({ length: 40 }, (_, index) => `m${index}`);
    const sends = texts.map((text) => pair.client.send(text));
    assert.deepEqual(await receive(pair.connection, 40), texts);
    await Promise.all(sends);
    pair.proxy.blackhole("toServer");
    const waiting = texts.map((text) => pair.client.send(text));
    const stream = pair.client.connection?.send(["a ", "stream"]);
    void stream?.catch(() => undefined); // Its connection ends with the cut.
    pair.proxy.thaw();
    await pair.cut();
    await pair.reconnect();
    await Promise.all(waiting);
    assert.deepEqual(await receive(pair.connection, 40), texts);
    await pair.client.connection?.send(["another ", "stream"]);
    assert.deepEqual(await receive(pair.connection, 1), ["another stream"]);
  });

  test("L2 F9: `timeToLive` and `queue` limit what waits for the window, also after a resumption", async () => {
    const window = { messages: 4, bytes: 1024 * 1024 };
    await using pair = await SessionPair.open({
      client: { session: { window }, queue: { messages: 3 } },
      server: { sessions: { acknowledge: "handled" } },
    });
    const { client } = pair;
    const fateOf = (sent: Promise<void>): Promise<string> =>
      sent.then(
        () => "sent",
        (error: unknown) =>
          error instanceof NotSentError ? `${error.reason} ${error.outcome}` : String(error),
      );
    for (let count = 0; count < 4; count++) await client.send(`m${count}`); // Nobody handles them.
    const short = fateOf(client.send("short", { timeToLive: 20 }));
    const waiting = [fateOf(client.send("m4")), fateOf(client.send("m5"))];
    assert.equal(client.queued.messages, 3);
    assert.equal(await fateOf(client.send("one more")), "overflow unsent");
    assert.equal(await short, "expired unsent");
    await pair.cut();
    await pair.reconnect();
    assert.equal(client.status.state, "open");
    assert.equal(await fateOf(client.send("again", { timeToLive: 20 })), "expired unsent");
    assert.deepEqual(client.queued, { messages: 2, bytes: 4 });
    const received = receive(pair.connection, 7);
    assert.deepEqual(await Promise.all(waiting), ["sent", "sent"]);
    await client.send("m6");
    assert.deepEqual(await received, ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
  });

  test("L3: an abort takes back what waits for the window; what is counted arrives, and only the wait ends", async () => {
    await using pair = await SessionPair.open({
      client: { session: { window: { messages: 4, bytes: 1024 * 1024 } } },
    });
    pair.proxy.freeze("toClient"); // No ack arrives.
    for (let count = 0; count < 4; count++) await pair.client.send(`m${count}`);
    const aborter = new AbortController();
    const waits = pair.client.send("taken back", { signal: aborter.signal });
    const counted = pair.client.send("m4");
    aborter.abort(new Error("changed my mind"));
    await assert.rejects(waits, (error) => error instanceof NotSentError && error.outcome === "unsent");
    pair.proxy.thaw();
    await counted;
    const later = new AbortController();
    pair.proxy.freeze("toClient");
    const delivered = pair.client.send("m5", { until: "delivered", signal: later.signal });
    await eventually(() => pair.connection.traffic.messagesReceived === 6, "m5");
    later.abort();
    await assert.rejects(delivered);
    assert.deepEqual(await receive(pair.connection, 6), ["m0", "m1", "m2", "m3", "m4", "m5"]);
    pair.proxy.thaw();
  });

  test("L3 E5: an abort reports a message that the session has counted as unknown, or as sent, and never as unsent", async () => {
    const limits = { maxMessageSize: null, compression: false } as const;
    await using pair = await SessionPair.open({
      client: { writeLimit: 1024, ...limits },
      server: { writeLimit: 1024, ...limits },
    });
    const stopped = new Error("changed my mind");
    const outcomeOf = (sent: Promise<void>): Promise<unknown> =>
      sent.then(
        () => "sent",
        (error: unknown) => error instanceof NotSentError && [error.message, error.outcome, error.cause],
      );
    const text = "The signal of send() aborted; the peer may or may not have received it.";
    const ends = [
      [pair.client, pair.connection, "toServer"],
      [pair.connection, pair.client, "toClient"],
    ] as const;
    for (const [from, to, direction] of ends) {
      for (const pause of [null, Promise.resolve()]) {
        const aborter = new AbortController();
        const sent = outcomeOf(from.send("soon", { until: "delivered", signal: aborter.signal }));
        if (pause !== null) await pause;
        aborter.abort(stopped);
        assert.deepEqual(await sent, [text, "unknown", stopped]);
      }
      assert.deepEqual(await receive(to, 2), ["soon", "soon"]);
      pair.proxy.freeze(direction); // The socket's buffer fills up.
      const aborter = new AbortController();
      const large = new Uint8Array(8 * 1024 * 1024);
      const sent = outcomeOf(from.send(large, { signal: aborter.signal }));
      await eventually(
        () => (pair.client.connection?.bufferedAmount ?? 0) + pair.connection.bufferedAmount > 1024,
        "a full buffer",
      );
      aborter.abort(stopped);
      assert.equal(await sent, "sent");
      pair.proxy.thaw();
      assert.deepEqual(await receive(to, 1), [large]);
    }
  });

  test("L6: what is sent without a socket beyond the window loses the session, and no sender waits", async () => {
    await using pair = await SessionPair.open();
    await pair.cut();
    const outcomes: string[] = [];
    const { connection } = pair;
    connection.on("lost", ({ reason, unsent, unknown }) => outcomes.push(`${reason} ${unsent} ${unknown}`));
    for (let count = 0; count < 1024; count++) await connection.send("m");
    assert.deepEqual(outcomes, []);
    await assert.rejects(connection.send("one more"));
    assert.deepEqual(outcomes, ["overflow 1024 0"]);
    assert.equal((await connection.closed).error?.name, "SessionLostError");
  });

  test("L6: what waits for room in the window when the socket ends is kept, and what is sent beyond it loses the session", async () => {
    await using pair = await SessionPair.open();
    const { connection } = pair;
    const lost: string[] = [];
    connection.on("lost", ({ reason, unsent, unknown }) => {
      lost.push(`${reason} ${unsent} ${unknown}`);
      void connection
        .send("within the event")
        .catch((error: unknown) => lost.push((error as NotSentError).outcome));
    });
    pair.proxy.freeze("toServer"); // No ack arrives.
    const sends = Array.from({ length: 1100 }, (_, index) => connection.send(`m${index}`));
    let settled = 0;
    for (const send of sends) void send.then(() => settled++);
    await eventually(() => settled === 1024, "a full window");
    await pair.cut();
    await Promise.all(sends); // Nobody waits for an absent peer.
    assert.deepEqual(lost, []);
    pair.proxy.thaw();
    await pair.reconnect();
    assert.deepEqual(
      await receive(pair.client, 1100),
      sends.map((_, index) => `m${index}`),
    );
    pair.proxy.freeze("toServer");
    let count = 0;
    const loop = (async () => {
      for (;;) {
        await connection.send("more");
        count++;
      }
    })();
    const failed = assert.rejects(loop, {
      name: "NotSentError",
      reason: "session-lost",
      outcome: "unsent",
    });
    await eventually(() => count > 100, "the loop");
    await pair.cut();
    await failed;
    await eventually(() => lost.length === 2, "the events");
    const { error } = await connection.closed;
    assert.ok(error instanceof SessionLostError);
    assert.deepEqual(lost, [`overflow ${error.unsent} ${error.unknown}`, "unsent"]);
  });

  test("L6: who sends during a replay does not wait for the next socket when this one ends", async () => {
    await using pair = await SessionPair.open({
      server: { writeLimit: 1024 },
      client: { maxMessageSize: null },
    });
    await pair.cut();
    await pair.connection.send(new Uint8Array(64 * 1024 * 1024)); // More than the kernel takes.
    await pair.proxy.accept("forward");
    await eventually(() => pair.connection.session?.isAttached === true, "the resumption");
    const sent = pair.connection.send("behind the replay");
    await pair.cut();
    await sent;
    await pair.reconnect();
    await receive(pair.client, 1);
    assert.deepEqual(await receive(pair.client, 1), ["behind the replay"]);
  });

  test("L3: the counts of a loss include the messages that wait for room in the window", async () => {
    await using pair = await SessionPair.open();
    const { connection } = pair;
    const lost: unknown[] = [];
    connection.on("lost", (event) => lost.push(event));
    pair.proxy.freeze("toServer");
    const outcomes = { unsent: 0, unknown: 0 };
    const sends = Array.from({ length: 1100 }, () =>
      connection
        .send("m", { until: "delivered" })
        .catch((error: unknown) => outcomes[(error as NotSentError).outcome]++),
    );
    (coreOf(connection).transport as ServerSessionTransport).lose("store");
    await Promise.all(sends);
    assert.deepEqual(outcomes, { unsent: 76, unknown: 1024 });
    assert.deepEqual(lost, [{ reason: "store", ...outcomes }]);
    const { error } = await connection.closed;
    assert.ok(error instanceof SessionLostError);
    assert.deepEqual([error.unsent, error.unknown], [76, 1024]);
  });
});

const CUT_OFF = {
  name: "NotSentError",
  reason: "lost",
  outcome: "unsent",
  message: "The socket ended during send(); the peer has not received the message.",
};

const SENT = Promise.resolve();
