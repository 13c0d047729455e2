// The timer of acks: nothing waits for its ack longer than `ackDelay`, and no ack is sent without need.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, OPCODE } from "holdfast-testkit";
import type { Runtime } from "../../../build/connection/runtime.js";
import { TimerQueue } from "../../../build/connection/timer-queue.js";
import { SessionLedger } from "../../../build/session/session-ledger.js";
import { overSessionLink, type SessionLink } from "../../../build/transport/session/session-link.js";
import { SessionSender } from "../../../build/transport/session/session-sender.js";
import { Harness } from "../../connection/harness.js";

const WINDOW = { messages: 1024, bytes: 256 * 1024 };

/** A sender whose link records the words and their times. */
function setUp(): { clock: FakeClock; words: string[]; receive: () => void; sender: SessionSender } {
  const clock = new FakeClock();
  const start = clock.now();
  const words: string[] = [];
  const runtime = { clock, timers: new TimerQueue(clock) } as unknown as Runtime; // The sender uses these.
  const ledger = new SessionLedger({
    ...{ window: WINDOW, peerWindow: WINDOW, acknowledge: "received", meter: { used: 0 } },
  });
  const sender = new SessionSender(runtime, ledger, {
    ...{ ackDelay: 100, writeLimit: 1024, keepsWithoutLink: true },
  });
  const link = { sendAck: (word: string) => words.push(`${word.slice(1)} at ${clock.now() - start}`) };
  sender.attach(link as unknown as SessionLink, null); // As above.
  return { clock, words, sender, receive: () => sender.onAckNeed(sender.incoming.receive(1) ?? "none") };
}

test("L2: a message that arrives after an ack is confirmed `ackDelay` after that ack, not when the older timer fires", () => {
  const { clock, words, sender, receive } = setUp();
  receive();
  clock.advance(40);
  sender.acknowledge(); // With a ping, say.
  clock.advance(20);
  receive();
  clock.advance(500);
  assert.deepEqual(words, ["ack 1 at 40", "ack 2 at 140"]);
});

test("L2: the timer sends nothing if everything was confirmed meanwhile, and the next message starts it again", () => {
  const { clock, words, sender, receive } = setUp();
  receive();
  clock.advance(40);
  sender.acknowledge();
  clock.advance(200);
  receive();
  clock.advance(500);
  assert.deepEqual(words, ["ack 1 at 40", "ack 2 at 340"]);
  assert.equal(sender.isAtRest, true);
});

test("L2: each ack of a steady stream confirms what arrived in `ackDelay`, although acks also go with messages", () => {
  const { clock, words, sender, receive } = setUp();
  for (let step = 0; step < 30; step++) {
    receive();
    if (step % 9 === 8) sender.acknowledge();
    clock.advance(10);
  }
  assert.deepEqual(words, ["ack 9 at 80", "ack i at 170", "ack r at 260"]);
});

test("L2: of the acks to a peer that does not read, only the newest waits", async () => {
  const links: SessionLink[] = [];
  const h = new Harness({
    role: "server",
    capacity: 0,
    layer: (below) => overSessionLink(below, "frames", {}, (link) => links.push(link)),
  });
  void h.connection.send(new Uint8Array(100_000));
  h.clock.turn();
  const before = h.connection.bufferedAmount;
  for (let position = 1; position <= 10_000; position++) links[0].sendAck(`ack ${position}`);
  assert.ok(h.connection.bufferedAmount - before < 100, `${h.connection.bufferedAmount - before} bytes more`);
  h.transport.drain();
  await h.clock.settle();
  h.transport.drain();
  const texts = h.sentFrames().filter(({ opcode }) => opcode === OPCODE.text);
  assert.deepEqual(
    texts.map(({ payload }) => Buffer.from(payload).toString()),
    ["ack 10000"],
  );
});
