import assert from "node:assert/strict";
import { test } from "node:test";
import { ReceiveLedger } from "../../build/session/receive-ledger.js";
import fc from "fast-check";
import { KeptMessages } from "../../build/session/kept-messages.js";
import { SendLedger } from "../../build/session/send-ledger.js";
import { MESSAGE_OVERHEAD, SharedPayload } from "../../build/session/session-memory.js";

const WINDOW = { messages: 16, bytes: 400 };

function attached(window = WINDOW): { sends: SendLedger; meter: { used: number } } {
  const meter = { used: 0 };
  const sends = new SendLedger(window, meter);
  sends.attach(0, 0, 0);
  return { sends, meter };
}

test("L2: a quarter of the window, in messages or bytes, is acknowledged now, and less soon, with one timer", () => {
  const receipts = new ReceiveLedger(WINDOW, "received");
  assert.deepEqual(
    [1, 1, 1, 1].map((length) => receipts.receive(length)),
    ["soon", "none", "none", "now"],
  );
  assert.equal(receipts.takeAck("due"), 4);
  assert.deepEqual(
    [40, 59, 1].map((length) => receipts.receive(length)),
    ["passing", "none", "now"],
  );
  assert.equal(receipts.takeAck("due"), 7);
  assert.equal(receipts.takeLateAck(), -1);
  assert.equal(receipts.receive(1), "soon");
  assert.equal(receipts.takeLateAck(), 8);
});

test("L2: an ack travels along only when it is worth its bytes, and `want` gets one at once, even without news", () => {
  const receipts = new ReceiveLedger({ messages: 64, bytes: 1e6 }, "received");
  for (let count = 0; count < 3; count++) receipts.receive(1);
  assert.equal(receipts.takeAck("passing"), -1);
  receipts.receive(1);
  assert.equal(receipts.takeAck("passing"), 4);
  assert.equal(receipts.takeAck("due"), -1);
  assert.equal(receipts.want(), "now");
  assert.equal(receipts.takeAck("due"), 4);
  assert.equal(receipts.takeAck("due"), -1);
});

test("L2: with `handled`, acks confirm what was settled, and skipped positions with it", () => {
  const receipts = new ReceiveLedger(WINDOW, "handled");
  receipts.receive(1);
  receipts.receive(1);
  assert.equal(receipts.skip(2), "none");
  assert.deepEqual([receipts.received, receipts.confirmable, receipts.takeAck("due")], [4, 0, -1]);
  assert.equal(receipts.settle(1, 1), "soon");
  assert.equal(receipts.takeAck("due"), 1);
  receipts.settle(2, 1);
  assert.equal(receipts.takeAck("due"), 4);
  assert.equal(receipts.settle(9, 1), "none");
  assert.equal(receipts.skip(4), "now");
  assert.equal(receipts.takeAck("due"), 8);
  assert.equal(receipts.skip(Number.MAX_SAFE_INTEGER), null);
});

test("L2, L3: an ack confirms everything up to it, an older one nothing, and a forged one is a violation", () => {
  const { sends, meter } = attached();
  assert.equal(sends.push("a", 1), true);
  sends.push("bc", 2);
  sends.push("d");
  assert.equal(meter.used, 3 * MESSAGE_OVERHEAD + 4);
  assert.deepEqual(sends.acknowledge(2, 0), [1, 2]);
  assert.equal(meter.used, MESSAGE_OVERHEAD + 1);
  assert.deepEqual(sends.acknowledge(2, 0), []);
  assert.deepEqual(sends.acknowledge(1, 0), []);
  assert.equal(sends.acknowledge(4, 0), null);
  sends.detach();
  assert.equal(sends.push("e"), false);
  sends.attach(2, 2, 0);
  assert.equal(sends.acknowledge(3, 0), null, "it was not sent on this link yet");
});

test("L1: a resumption replays from RECEIVED, in order, and new messages queue behind", () => {
  const { sends } = attached();
  for (const text of ["a", "b", "c"]) sends.push(text);
  sends.detach();
  sends.push("d");
  assert.deepEqual(sends.attach(1, 1, 0), { confirmed: [], unsent: [], replayed: 3 });
  assert.equal(sends.next(), "b");
  assert.equal(sends.push("e"), false);
  assert.deepEqual(
    [sends.next(), sends.next(), sends.isCaughtUp, sends.next(), sends.next()],
    ["c", "d", false, "e", null],
  );
  assert.equal(sends.push("f"), true);
});

test("L1: a thousand kept messages are replayed in order, from any position of the ring", () => {
  const { sends, meter } = attached();
  for (let position = 1; position <= 5; position++) sends.push(String(position));
  sends.acknowledge(5, 0);
  for (let position = 6; position <= 1000; position++) sends.push(String(position));
  sends.acknowledge(7, 0);
  sends.detach();
  assert.equal(sends.attach(10, 10, 0)?.replayed, 990);
  for (let position = 11; position <= 1000; position++) assert.equal(sends.next(), String(position));
  assert.equal(sends.next(), null);
  sends.acknowledge(1000, 0);
  assert.deepEqual([meter.used, sends.unconfirmedBytes], [0, 0]);
});

test("L6: positions that do not agree lose the session", () => {
  for (const [received, confirmed] of [
    [4, 4],
    [1, 1],
    [2, 3],
  ] as const) {
    const { sends } = attached();
    for (const text of ["a", "b", "c"]) sends.push(text);
    sends.acknowledge(2, 0);
    sends.detach();
    assert.equal(sends.attach(received, confirmed, 0), null);
  }
});

test("L3: a streamed message that did not arrive is unsent and skipped; one that arrived is confirmed", () => {
  const { sends } = attached();
  sends.pushStreamed("s1");
  sends.push("a");
  sends.pushStreamed("s3");
  sends.pushStreamed("s4");
  sends.push("b");
  sends.detach();
  assert.deepEqual(sends.attach(2, 2, 0), { confirmed: ["s1"], unsent: ["s3", "s4"], replayed: 1 });
  assert.deepEqual([sends.next(), sends.next(), sends.next()], [2, "b", null]);
});

test("L3: a session that ends reports each unconfirmed message once, as unsent or unknown", () => {
  const { sends, meter } = attached();
  sends.push("a", "A");
  sends.push("b", "B");
  sends.acknowledge(1, 0);
  sends.detach();
  sends.push("c", "C");
  assert.deepEqual(sends.end(), {
    unsent: 1,
    unknown: 1,
    tokens: [
      { token: "B", outcome: "unknown" },
      { token: "C", outcome: "unsent" },
    ],
  });
  assert.equal(meter.used, 0);
  assert.deepEqual(sends.end(), { unsent: 0, unknown: 0, tokens: [] });
});

/** In place of KeptMessages: an array. */
class PlainMessages {
  readonly kept: {
    readonly message: string | Uint8Array | null;
    readonly gap: "skipped" | "streamed" | null;
  }[] = [];

  get bytes(): number {
    return this.kept.reduce((sum, { message }) => sum + (message?.length ?? 0), 0);
  }
}

test("L1, L6: kept messages are found by their position, counted and freed, whatever the order of adding, skipping and confirming", () => {
  const anyStep = fc.record({
    kind: fc.constantFrom(
      "text",
      "text",
      "text",
      "bytes",
      "shared",
      "streamed",
      "skipped",
      "skip",
      "drop",
      "drop all",
    ),
    count: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(anyStep, { maxLength: 30 }), (from, steps) => {
      const meter = { used: 0 };
      const kept = new KeptMessages(meter);
      const plain = new PlainMessages();
      let first = from;
      for (const { kind, count } of steps) {
        const next = first + plain.kept.length;
        if (kind === "drop" || kind === "drop all") {
          const dropped = Math.min(kind === "drop" ? count : Infinity, plain.kept.length);
          kept.drop(first, first + dropped - 1);
          plain.kept.splice(0, dropped);
          first += dropped;
        } else if (kind === "skip") {
          if (plain.kept.length < count) continue;
          kept.skip(first + count - 1);
          plain.kept[count - 1] = { message: null, gap: "skipped" };
        } else if (kind === "streamed" || kind === "skipped") {
          kept.pushGap(next, kind);
          plain.kept.push({ message: null, gap: kind });
        } else {
          for (let added = 0; added < count; added++) {
            const text = "x".repeat((next + added) % 7);
            const message = kind === "bytes" ? new Uint8Array(text.length) : text;
            if (kind === "text" && kept.room > 0) kept.pushText(text);
            else kept.push(next + added, kind === "shared" ? new SharedPayload(text) : message);
            plain.kept.push({ message, gap: null });
          }
        }
        assert.deepEqual(
          plain.kept.map((_, index) => ({
            message: kept.messageAt(first + index),
            gap: kept.gapAt(first + index),
          })),
          plain.kept,
        );
        assert.equal(kept.bytes, plain.bytes);
      }
      kept.drop(first, first + plain.kept.length - 1);
      assert.deepEqual([kept.bytes, meter.used], [0, 0]);
    }),
  );
});

test("L2: a text is sent on the quick path only while nothing else is to be done, and at the same positions", () => {
  const { sends } = attached({ messages: 64, bytes: 400 });
  const push = (text: string): string => {
    if (sends.pushEasy(text)) return "quick";
    return sends.push(text) ? "next" : "later";
  };
  assert.deepEqual(["a", "b", "c"].map(push), ["next", "quick", "quick"]);
  assert.equal(push("x".repeat(200)), "quick");
  assert.equal(push("d"), "next", "half of the window is used");
  assert.equal(sends.takeWant(), true);
  sends.acknowledge(5, 0);
  assert.deepEqual(["e", "f"].map(push), ["next", "quick"]);
  sends.detach();
  assert.equal(push("g"), "later");
  sends.attach(5, 5, 0);
  assert.equal(push("h"), "later", "a replay comes first");
  assert.deepEqual([sends.next(), sends.next(), sends.next(), push("i")], ["e", "f", "g", "later"]);
  assert.deepEqual([sends.next(), sends.next(), sends.next()], ["h", "i", null]);
  assert.equal(push("j"), "quick");
  sends.release(sends.sent);
  assert.equal(push("k"), "later", "the log does not have it");
  assert.deepEqual([sends.sent, sends.unconfirmed], [12, 7]);
});

test("L6: a payload that many sessions keep is counted once, until the last one drops it", () => {
  const meter = { used: 0 };
  const [one, other] = [new SendLedger(WINDOW, meter), new SendLedger(WINDOW, meter)];
  const payload = new SharedPayload("x".repeat(100));
  one.push(payload);
  other.push(payload);
  assert.equal(meter.used, 2 * MESSAGE_OVERHEAD + 100);
  assert.equal(one.unconfirmedBytes, 100);
  one.end();
  assert.equal(meter.used, MESSAGE_OVERHEAD + 100);
  other.attach(0, 0, 0);
  assert.equal(other.next(), payload.data);
  other.end();
  assert.equal(meter.used, 0);
});

test("L2: the window grows with the round trip, and what a link carries in one always fits", () => {
  const { sends } = attached({ messages: 16, bytes: 1e6 });
  // A link with a round trip of 100 ms that carries 10 messages a millisecond, and a peer that acknowledges each batch.
  const onTheWay: { readonly position: number; readonly at: number }[] = [];
  let sentLast = 0;
  for (let now = 0; now < 3000; now++) {
    for (let ack = onTheWay[0]; ack !== undefined && ack.at <= now; ack = onTheWay[0]) {
      sends.acknowledge(ack.position, now);
      onTheWay.shift();
    }
    let count = 0;
    while (count < 10 && sends.hasRoom) {
      sends.push("m");
      count++;
    }
    if (count > 0) onTheWay.push({ position: sends.sent, at: now + 100 });
    if (now >= 2000) sentLast += count;
  }
  assert.ok(sentLast >= 9500, `${sentLast} of 10,000 messages a second`);
});

test("L2: `want` is sent once when half of the window is used, until something is confirmed", () => {
  const { sends } = attached();
  for (let count = 0; count < 7; count++) sends.push("m");
  assert.equal(sends.takeWant(), false);
  sends.push("m");
  assert.deepEqual([sends.takeWant(), sends.takeWant()], [true, false]);
  sends.acknowledge(0, 0);
  assert.equal(sends.takeWant(), false);
  for (let count = 0; count < 8; count++) sends.push("m");
  assert.equal(sends.hasRoom, false);
  sends.acknowledge(1, 0);
  assert.deepEqual([sends.hasRoom, sends.takeWant()], [true, true]);
});
