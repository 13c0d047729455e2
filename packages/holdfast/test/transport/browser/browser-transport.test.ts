import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withHeartbeatMessages } from "../../../build/transport/browser/heartbeat-messages.js";
import type { HeartbeatMessages } from "../../../build/transport/browser/heartbeat-option.js";
import { coreOf } from "../../../build/connection/core-of.js";
import { overLinkProtocol } from "../../../build/transport/link/link-protocol.js";
import type { Message } from "../../../build/connection/reading/inbox.js";
import { TextBytes } from "../../../build/shared/text-bytes.js";
import { follow, summary } from "../../connection/harness.js";
import { WireHarness } from "./wire-harness.js";

const KB = 1024;

describe("A connection over a browser's WebSocket", () => {
  test("I1: text, bytes and fragments go out as messages, in order", async () => {
    const h = new WireHarness();
    void h.connection.send("one");
    void h.connection.send(Uint8Array.of(1, 2));
    await h.connection.send(["in ", "fragments"]);
    await h.connection.send(new TextBytes(Buffer.from("as bytes")));
    assert.deepEqual(h.asked(), ["one", "bytes 1 2", "in fragments", "as bytes"]);
  });

  test('I1: with `text: "bytes"` a text is delivered as its UTF-8', async () => {
    const h = new WireHarness({ text: "bytes" });
    h.socket.deliver("é");
    const message = await h.connection.recv();
    assert(message instanceof TextBytes);
    assert.deepEqual([...message], [0xc3, 0xa9]);
  });

  test("I1, E5: no more than writeLimit is given to the browser, and a send waits for the rest", async () => {
    const h = new WireHarness({ writeLimit: 2 * KB });
    h.socket.isStuck = true;
    const sends = Array.from({ length: 5 }, () => follow(h.connection.send("x".repeat(KB))));
    await h.clock.settle();
    assert.equal(h.asked().length, 2);
    assert.deepEqual(
      sends.map(({ outcome }) => outcome.status),
      ["fulfilled", "pending", "pending", "pending", "pending"],
    );
    assert.equal(h.connection.bufferedAmount, 5 * KB);
    h.clock.advance(1000);
    await h.clock.settle();
    assert.equal(h.asked().length, 0);
    h.socket.drain();
    h.clock.advance(20);
    await h.clock.settle();
    assert.equal(h.asked().length, 3);
    assert(sends.every(({ outcome }) => outcome.status === "fulfilled"));
    assert.equal(h.clock.pendingTimers, 0);
  });

  test("F9, I1: a receipt reports when a message is passed to the browser", async () => {
    const h = new WireHarness({ writeLimit: KB });
    h.socket.isStuck = true;
    const told: string[] = [];
    for (const name of ["one", "two"]) {
      const receipt = { onHandedOver: () => told.push(name) };
      void coreOf(h.connection).send(name.padEnd(KB), { mayEncode: true, signal: null, receipt });
    }
    assert.deepEqual([told, h.asked().length], [["one"], 1]);
    h.socket.drain();
    h.clock.advance(20);
    await h.clock.settle();
    assert.deepEqual([told, h.asked().length], [["one", "two"], 1]);
  });

  test("I1, E5: an abort cancels only messages that the browser does not have yet", async () => {
    const h = new WireHarness({ writeLimit: KB });
    h.socket.isStuck = true;
    const aborter = new AbortController();
    const { signal } = aborter;
    const taken = follow(h.connection.send("x".repeat(KB), { signal }));
    const waiting = follow(h.connection.send("y", { signal }));
    aborter.abort(new Error("no longer"));
    await h.clock.settle();
    assert.deepEqual([taken.outcome.status, waiting.outcome.status], ["fulfilled", "rejected"]);
    h.socket.drain();
    h.clock.advance(100);
    assert.deepEqual(
      h.asked().map((text) => text[0]),
      ["x"],
    );
  });

  test("I1: pings and pongs of the link overtake what waits; the newest pong stands for all", async () => {
    const h = new WireHarness({ writeLimit: KB }, (below) => overLinkProtocol(below, "messages"));
    h.socket.isStuck = true;
    void h.connection.send("x".repeat(KB));
    void h.connection.send("waits");
    const ping = follow(h.connection.ping(Uint8Array.of(1)));
    h.socket.deliver("\u0016ping 02");
    h.socket.deliver("\u0016ping 03");
    h.clock.advance(500);
    h.socket.drain();
    h.clock.advance(20);
    assert.deepEqual(h.asked().slice(1), ["\u0016ping 01", "\u0016pong 03", "waits"]);
    h.clock.advance(7);
    h.socket.deliver("\u0016pong 01");
    await h.clock.settle();
    // Counted from when the ping was sent, not from when it was queued.
    assert.deepEqual(ping.outcome, { status: "fulfilled", value: 7 });
  });

  test("I1: close() is sent after queued messages, and ends when the browser reports it", async () => {
    const h = new WireHarness({ writeLimit: KB });
    h.socket.isStuck = true;
    void h.connection.send("x".repeat(KB));
    void h.connection.send("last");
    const closed = follow(h.connection.close(1000, "bye"));
    assert.deepEqual(h.asked().length, 1);
    h.socket.drain();
    h.clock.advance(20);
    assert.deepEqual(h.asked(), ["last", "close 1000 bye"]);
    h.socket.end(1000, "bye");
    await h.clock.settle();
    assert.equal(closed.outcome.status, "fulfilled");
    assert.equal(h.ends[0]?.message, "sent 1000 (OK) bye; then received 1000 (OK) bye");
    assert.deepEqual([h.clock.pendingTimers, h.runtime.timers.size], [0, 0]);
  });

  test("D4: a Close that is never answered ends at closeTimeout", async () => {
    const h = new WireHarness({ closeTimeout: 100 });
    void h.connection.close();
    h.clock.advance(100);
    await h.clock.settle();
    assert.deepEqual([h.ends[0]?.cause, h.ends[0]?.sent?.code], ["close-timeout", 1000]);
    assert.deepEqual([h.clock.pendingTimers, h.clock.pendingCallbacks], [0, 0]);
  });

  test("I1: the peer's Close is answered by the browser, with the same code", async () => {
    const h = new WireHarness();
    h.socket.end(1001, "deploy");
    await h.clock.settle();
    const { message, cause, ok, receivedFirst } = summary(h.ends[0] ?? assert.fail("It has not ended"));
    assert.deepEqual(
      { message, cause, ok, receivedFirst },
      {
        message: "received 1001 (going away) deploy; then sent 1001 (going away) deploy",
        cause: "peer-close",
        ok: true,
        receivedFirst: true,
      },
    );
  });

  test("I1: an end without a Close is an eof, or a reset where the browser reports an error", async () => {
    const causes: unknown[] = [];
    for (const hasErred of [false, true]) {
      const h = new WireHarness();
      h.socket.deliver("before");
      if (hasErred) h.socket.onerror?.();
      h.socket.end(1006);
      await h.clock.settle();
      assert.equal(await h.connection.recv(), "before");
      causes.push(h.ends[0]?.cause, h.ends[0]?.code);
    }
    assert.deepEqual(causes, ["eof", 1006, "reset", 1006]);
  });

  test("I1: terminate() detaches from the browser's object, whose later events are not reported", async () => {
    const h = new WireHarness();
    const { socket } = h;
    h.connection.terminate();
    await h.clock.settle();
    assert.deepEqual([h.ends[0]?.cause, h.connection.state], ["aborted", "closed"]);
    assert.deepEqual(h.asked(), ["close"]);
    socket.deliver("late");
    socket.end(1000);
    await h.clock.settle();
    assert.equal(h.ends.length, 1);
    await assert.rejects(h.connection.recv());
  });

  test("I1: sends that wait are rejected at the end, and none is left unhandled", async () => {
    const h = new WireHarness({ writeLimit: KB });
    h.socket.isStuck = true;
    void h.connection.send("x".repeat(KB));
    const waiting = follow(h.connection.send("y"));
    h.socket.end(1006);
    await h.clock.settle();
    assert.equal(waiting.outcome.status, "rejected");
    assert.deepEqual([h.clock.pendingTimers, h.ends[0]?.evidence.bytesBuffered], [0, 2 * KB - KB + 1]);
  });

  test("E2: a message over maxMessageSize fails the connection, in bytes and not in characters", async () => {
    for (const [message, isTooBig] of [
      ["x".repeat(10), false],
      ["é".repeat(5), false],
      ["é".repeat(6), true],
      ["x".repeat(11), true],
      [new Uint8Array(10), false],
      [new Uint8Array(11), true],
    ] as const) {
      const h = new WireHarness({ maxMessageSize: 10 });
      h.socket.deliver(message);
      assert.equal(h.connection.state, isTooBig ? "closing" : "open");
      assert.deepEqual(h.asked(), isTooBig ? ["close 4009"] : []);
      h.socket.deliver("after it");
      assert.equal(h.connection.state === "open" ? 0 : (await untilEnd(h)).evidence.messagesReceived, 0);
    }
  });

  test("D4: the Close of a connection that failed goes out instead of the messages that wait", async () => {
    const h = new WireHarness({ writeLimit: KB, maxMessageSize: 10 });
    h.socket.isStuck = true;
    void h.connection.send("x".repeat(KB));
    const waiting = follow(h.connection.send("y"));
    h.asked();
    h.socket.deliver("x".repeat(11));
    assert.deepEqual(h.asked(), ["close 4009"]);
    assert.equal((await untilEnd(h)).evidence.bytesBuffered, KB + 1);
    assert.equal(waiting.outcome.status, "rejected");
  });

  test("I1: codes that a page may not send become private ones", async () => {
    const sent: string[] = [];
    for (const code of [1000, 1001, 1009, 1011, 1014, 3000, 4999]) {
      const h = new WireHarness();
      void h.connection.close(code);
      sent.push(...h.asked());
    }
    assert.deepEqual(
      sent,
      [1000, 4001, 4009, 4011, 4014, 3000, 4999].map((code) => `close ${code}`),
    );
  });

  test("C10: a full inbox suspends no deadline here, as pongs still come", async () => {
    const h = new WireHarness({ pingInterval: 1000, pingTimeout: 500, maxQueue: 1 }, (below) =>
      overLinkProtocol(below, "messages"),
    );
    h.socket.deliver("one");
    h.socket.deliver("two");
    for (let second = 0; second < 5; second++) {
      const ping = h.asked().find((text) => text.startsWith("\u0016ping")) ?? assert.fail("No ping was sent");
      h.socket.deliver(ping.replace("ping", "pong"));
      h.clock.advance(1000);
    }
    assert.equal(h.connection.state, "open");
    h.clock.advance(500);
    await h.clock.settle();
    assert.equal(h.ends[0]?.cause, "heartbeat-timeout");
    assert.equal(h.ends[0].sent?.code, 4011);
  });
});

describe("A heartbeat of the application's messages", () => {
  const byNumber: HeartbeatMessages = {
    ping: (number) => `ping ${number}`,
    isPong: (message) => {
      const match = /^pong (\d+)$/.exec(String(message));
      return match === null ? false : Number(match[1]);
    },
  };

  function withHeartbeat(messages: HeartbeatMessages) {
    const h = new WireHarness({}, (below) => withHeartbeatMessages(below, messages));
    const received: Message[] = [];
    void h.connection.forEach((message) => void received.push(message));
    return { h, received };
  }

  test("I2: an answer belongs to its ping and to those before it, by number", async () => {
    const { h, received } = withHeartbeat(byNumber);
    const pings = [1, 2, 3].map((byte) => follow(h.connection.ping(Uint8Array.of(byte))));
    assert.deepEqual(h.asked(), ["ping 0", "ping 1", "ping 2"]);
    h.clock.advance(5);
    h.socket.deliver("pong 1");
    h.socket.deliver("pong 99");
    h.socket.deliver("other");
    await h.clock.settle();
    assert.deepEqual(
      pings.map(({ outcome }) => outcome.status),
      ["fulfilled", "fulfilled", "pending"],
    );
    assert.deepEqual(received, ["other"]);
  });

  test("I2: an answer without a number belongs to the oldest ping, and is shown where that is wanted", async () => {
    const { h, received } = withHeartbeat({
      ping: () => Uint8Array.of(9),
      isPong: (message) => message === "pong",
      showPongs: true,
    });
    const first = follow(h.connection.ping());
    const second = follow(h.connection.ping());
    assert.deepEqual(h.asked(), ["bytes 9", "bytes 9"]);
    h.socket.deliver("pong");
    await h.clock.settle();
    assert.deepEqual([first.outcome.status, second.outcome.status], ["fulfilled", "pending"]);
    assert.deepEqual(received, ["pong"]);
  });

  test("I2: an invalid heartbeat message fails the connection, with an error", async () => {
    const { h } = withHeartbeat({ ping: () => 5 as unknown as string, isPong: () => false });
    void h.connection.ping().catch(() => undefined);
    const info = await untilEnd(h);
    assert.equal(info.cause, "handler-failed");
    assert.match(info.error?.message ?? "", /Expected `heartbeat.ping` to return a string or bytes, got 5/);
  });

  test("I2: isPong() that forgets to return, or is async, fails the connection instead of hiding every message", async () => {
    for (const [answer, got] of [
      [undefined, "undefined"],
      [null, "null"],
      ["0", '"0" (string)'],
      [Promise.resolve(false), "a promise"],
    ] as const) {
      const { h, received } = withHeartbeat({ ping: () => "ping", isPong: () => answer as never });
      h.socket.deliver("a message");
      const { cause, error } = await untilEnd(h);
      assert.deepEqual([cause, received], ["handler-failed", []]);
      assert.ok(
        error?.message.endsWith(
          `Expected \`heartbeat.isPong\` to return a number, true or false, got ${got}.`,
        ),
      );
    }
  });

  test("E7: recvStream() that is left while it waits leaves the message to the next reader", async () => {
    const h = new WireHarness();
    const stream = h.connection.recvStream();
    const next = stream.next();
    const done = { value: undefined, done: true };
    assert.deepEqual([await stream.return?.(), await next, await stream.next()], [done, done, done]);
    h.socket.deliver("message");
    assert.equal(await h.connection.recv(), "message");
  });

  test("I2: recvStream() hands out the next message that is no answer", async () => {
    const h = new WireHarness({}, (below) => withHeartbeatMessages(below, byNumber));
    void h.connection.ping();
    const pieces: Message[] = [];
    const reading = (async () => {
      for await (const piece of h.connection.recvStream()) pieces.push(piece);
    })();
    await h.clock.settle();
    h.socket.deliver("pong 0");
    h.socket.deliver("message");
    await reading;
    assert.deepEqual(pieces, ["message"]);
    assert.equal(h.connection.latencyStats.answered, 1);
  });
});

/** The browser closes as requested. */
async function untilEnd(h: WireHarness) {
  h.socket.end(h.ends[0]?.sent?.code ?? 4009);
  await h.clock.settle();
  return h.ends[0] ?? assert.fail("It has not ended");
}
