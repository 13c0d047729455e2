import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { closeMessage } from "../../build/connection/close-info.js";
import { Harness } from "./harness.js";

const NAMES: readonly (readonly [code: number, name: string])[] = [
  [1000, "OK"],
  [1001, "going away"],
  [1002, "protocol error"],
  [1003, "unsupported data"],
  [1005, "no status received [internal]"],
  [1006, "abnormal closure [internal]"],
  [1007, "invalid frame payload data"],
  [1008, "policy violation"],
  [1009, "message too big"],
  [1010, "mandatory extension"],
  [1011, "internal error"],
  [1012, "service restart"],
  [1013, "try again later"],
  [1014, "bad gateway"],
  [1015, "TLS handshake failure [internal]"],
  [3000, "registered"],
  [3999, "registered"],
  [4000, "private use"],
  [4999, "private use"],
];

describe("CloseInfo", () => {
  test("D1, D2: the message lists each Close, in order", () => {
    for (const [code, name] of NAMES) {
      const close = { code, reason: "" };
      const withReason = { code, reason: "why" };
      assert.deepEqual(
        [
          closeMessage(null, null, false),
          closeMessage(null, close, false),
          closeMessage(withReason, null, true),
          closeMessage(close, withReason, true),
          closeMessage(withReason, close, false),
        ],
        [
          "no close frame received or sent",
          `sent ${code} (${name}); no close frame received`,
          `received ${code} (${name}) why; no close frame sent`,
          `received ${code} (${name}); then sent ${code} (${name}) why`,
          `sent ${code} (${name}); then received ${code} (${name}) why`,
        ],
      );
    }
  });

  test("D7: the evidence describes the whole life of a connection", async () => {
    const h = new Harness({ pingInterval: 1000, pingTimeout: 500 });
    const openedAt = h.clock.wallNow();
    h.clock.advance(10);
    const [ping] = h.sentFrames();
    h.deliver(h.pong(ping.payload));
    h.clock.advance(90);
    void h.connection.send("hello");
    void h.connection.send(Uint8Array.of(1, 2, 3));
    h.clock.advance(100);
    h.deliver(h.text("unread"), h.binary("xyz"), h.text("é"));
    h.clock.advance(1000);
    h.transport.eof();
    const { evidence } = await h.end();
    const statistics = {
      last: 10,
      min: 10,
      max: 10,
      mean: 10,
      smoothed: 10,
      jitter: 5,
      p50: 10,
      p95: 10,
      p99: 10,
    };
    assert.deepEqual(evidence, {
      openedAt,
      endedAt: openedAt + 1200,
      lastReceivedAt: openedAt + 200,
      lastSentAt: openedAt + 1000,
      lastPingAt: openedAt + 1000,
      lastPongAt: openedAt + 10,
      latency: { ...statistics, sent: 2, answered: 1, lost: 1 },
      pingsInFlight: 1,
      oldestPingAge: 200,
      bytesReceived: 10 + 8 + 5 + 4,
      bytesSent: 14 + 11 + 9 + 14,
      messagesReceived: 3,
      messagesSent: 2,
      bytesBuffered: 0,
      messagesUnread: 3,
      bytesUnread: 10,
      isReadingPaused: false,
      isAmidMessage: false,
      longestStall: 0,
      pingInterval: 1000,
      pingTimeout: 500,
      detection: "fixed",
      suspectAfter: null,
      deadAfter: 500,
    });
  });

  test("D7: the evidence says whether a message was arriving when the connection ended", async () => {
    const isAmidMessage = async (...received: readonly Uint8Array[]): Promise<boolean> => {
      const h = new Harness();
      h.deliver(...received);
      h.transport.eof();
      return (await h.end()).evidence.isAmidMessage;
    };
    const h = new Harness();
    const whole = h.text("whole");
    const first = h.frame({ opcode: 1, isFinal: false, payload: Buffer.from("first") });
    const last = h.frame({ opcode: 0, payload: Buffer.from("last") });
    assert.equal(await isAmidMessage(), false);
    assert.equal(await isAmidMessage(whole), false);
    assert.equal(await isAmidMessage(whole, whole.subarray(0, 1)), true);
    assert.equal(await isAmidMessage(whole.subarray(0, -1)), true);
    assert.equal(await isAmidMessage(first), true);
    assert.equal(await isAmidMessage(first, h.frame({ opcode: 9 })), true);
    assert.equal(await isAmidMessage(first, last), false);
  });

  test("D7: the evidence of a connection without traffic says so", async () => {
    const h = new Harness();
    h.connection.terminate();
    const { evidence } = await h.end();
    const at = h.clock.wallNow();
    const none = { last: null, min: null, max: null, mean: null, smoothed: null, jitter: null };
    assert.deepEqual(evidence, {
      openedAt: at,
      endedAt: at,
      lastReceivedAt: null,
      lastSentAt: null,
      lastPingAt: null,
      lastPongAt: null,
      latency: { ...none, p50: null, p95: null, p99: null, sent: 0, answered: 0, lost: 0 },
      pingsInFlight: 0,
      oldestPingAge: null,
      bytesReceived: 0,
      bytesSent: 0,
      messagesReceived: 0,
      messagesSent: 0,
      bytesBuffered: 0,
      messagesUnread: 0,
      bytesUnread: 0,
      isReadingPaused: false,
      isAmidMessage: false,
      longestStall: 0,
      pingInterval: null,
      pingTimeout: null,
      detection: "fixed",
      suspectAfter: null,
      deadAfter: null,
    });
  });

  const endings: Readonly<Record<string, (h: Harness) => void>> = {
    "a FIN": (h) => h.transport.eof(),
    "an RST": (h) => h.transport.fail(),
    "terminate()": (h) => h.connection.terminate(),
    "the close timeout": (h) => {
      void h.connection.close();
      h.clock.advance(10_000);
    },
    "the peer's Close": (h) => h.deliver(h.close(1000)),
    "a broken frame": (h) => h.deliver(h.frame({ opcode: 3 })),
  };
  for (const [name, end] of Object.entries(endings)) {
    test(`D7: at ${name}, the evidence states what was unsent and unread, and that reading was paused`, async () => {
      // A FIN, a Close and an invalid frame are read only after reading resumes, so their evidence covers
      // sending only.
      const isRead = ["a FIN", "the peer's Close", "a broken frame"].includes(name);
      const h = new Harness({ capacity: 1000, maxQueue: 2 });
      void h.connection.send(Buffer.alloc(10_000));
      h.clock.turn();
      void h.connection.send(Buffer.alloc(100_000));
      void h.connection.send("x".repeat(1000));
      h.clock.turn();
      h.deliver(...["a", "b", "c", "d"].slice(0, isRead ? 2 : 4).map((text) => h.text(text)));
      end(h);
      h.clock.advance(10_000);
      const { evidence } = await h.end();
      const { isReadingPaused, messagesUnread, bytesUnread } = evidence;
      assert.deepEqual(
        { isReadingPaused, messagesUnread, bytesUnread },
        { isReadingPaused: !isRead, messagesUnread: isRead ? 2 : 4, bytesUnread: isRead ? 2 : 4 },
      );
      // An RST discards the data in the socket's own buffer.
      assert(evidence.bytesBuffered >= 101_000, `${evidence.bytesBuffered} bytes`);
    });
  }
});
