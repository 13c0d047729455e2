import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { FakeClock, OPCODE, SeededRandom } from "holdfast-testkit";
import { coreOf } from "../../../build/connection/core-of.js";
import { explain } from "../../../build/connection/explain/explain.js";
import type { Suspicion } from "../../../build/heartbeat/adaptive-detection.js";
import { FrameRuntime } from "../../../build/transport/frames/frame-runtime.js";
import { channelObserver } from "../../../build/transport/node/channels.js";
import { Harness, ROLES, type Setup } from "../harness.js";

/** Answers pings after 50 ms, and sends a message every second. */
class Chat extends Harness {
  readonly suspicions: (Suspicion & { readonly at: number })[] = [];
  readonly debugLines: string[] = [];
  answers = true;

  constructor(setup: Setup = {}) {
    const lines: string[] = [];
    const add = (line: string): void => void lines.push(line);
    const logger = { debug: add, info: add, warn: add, error: add };
    super({ pingInterval: 20_000, detection: "adaptive", logger, ...setup });
    this.debugLines = lines;
    const start = this.clock.now();
    this.connection.on("suspect", (event) =>
      this.suspicions.push({ at: this.clock.now() - start, ...event }),
    );
  }

  run(seconds: number): void {
    for (let second = 0; second < seconds && this.connection.state === "open"; second++) {
      void this.connection.send("hello").catch(() => undefined);
      this.clock.advance(1); // A server sends its first ping after two turns.
      for (const { opcode, payload } of this.sentFrames()) {
        if (opcode !== OPCODE.ping || !this.answers) continue;
        this.clock.advance(50);
        this.deliver(this.pong(payload));
      }
      this.clock.advance(1000 - (this.clock.now() % 1000));
    }
  }
}

for (const role of ROLES) {
  test(`O1, O2: a ${role} suspects a peer that falls silent, and then declares it dead; the end says by which deadlines`, async () => {
    const chat = new Chat({ role });
    chat.run(20);
    assert.deepEqual(chat.suspicions, []);
    chat.answers = false;
    chat.run(10);
    const [{ at, level, silence, expected }] = chat.suspicions;
    assert.equal(chat.suspicions.length, 1);
    assert(silence >= expected && level > 0 && level < 1, JSON.stringify(chat.suspicions));
    const info = await chat.end();
    const { detection, suspectAfter, deadAfter, openedAt, endedAt } = info.evidence;
    assert.equal(info.cause, "heartbeat-timeout");
    assert.equal(detection, "adaptive");
    assert(suspectAfter !== null && deadAfter !== null && suspectAfter < deadAfter && deadAfter < 5_000);
    assert(endedAt - (openedAt ?? 0) - at <= 6_000);
    assert.match(
      explain(info),
      /did not answer a ping within 3\.\d s \(adaptive detection, round trip 5\d ms, suspected after 1 s\)/,
    );
    assert(chat.debugLines.some((line) => /^% peer suspect: silent for 1\d\d\d/.test(line)));
  });
}

test("O2: messages bring the pings closer together, each kind of them", async () => {
  const ways: readonly ((h: Harness) => void)[] = [
    (h) => void h.connection.send("text"),
    (h) => void h.connection.send(Uint8Array.of(1)),
    (h) => void h.connection.send(["frag", "ments"]),
    (h) => h.deliver(h.text("text")),
    (h) => h.deliver(h.binary(Uint8Array.of(1))),
  ];
  for (const [index, way] of ways.entries()) {
    const h = new Harness({ pingInterval: 20_000, pingTimeout: null, detection: "adaptive" });
    h.clock.advance(21_000);
    assert.equal(h.sentFrames().filter(({ opcode }) => opcode === OPCODE.ping).length, 2);
    way(h);
    await new Promise(setImmediate); // Fragments are sent in microtasks.
    h.clock.advance(1_000);
    assert.equal(h.sentFrames().filter(({ opcode }) => opcode === OPCODE.ping).length, 1, `way ${index}`);
    h.connection.terminate();
  }
});

test("O2: pings and pongs of the peer are no traffic: two idle ends do not keep each other busy", () => {
  const h = new Harness({ pingInterval: 20_000, pingTimeout: null, detection: "adaptive" });
  for (let second = 0; second < 60; second++) {
    h.deliver(h.ping("are you there?"));
    h.clock.advance(1_000);
  }
  assert.equal(h.sentFrames().filter(({ opcode }) => opcode === OPCODE.ping).length, 4);
  h.connection.terminate();
});

test("O1: the suspicion that lasts can be read; with fixed detection there is none", () => {
  const chat = new Chat();
  chat.run(20);
  chat.answers = false;
  chat.run(3);
  const { keepalive } = coreOf(chat.connection);
  assert(keepalive.suspicion !== null && keepalive.suspicion.silence >= 1_000);
  chat.connection.terminate();
  const fixed = new Chat({ detection: "fixed" });
  fixed.run(20);
  fixed.answers = false;
  fixed.run(15);
  assert.deepEqual([coreOf(fixed.connection).keepalive.suspicion, fixed.suspicions], [null, []]);
  fixed.connection.terminate();
});

test("O2, J2: the channel holdfast:connection:suspect publishes suspicions", () => {
  const clock = new FakeClock();
  const chat = new Chat({
    shared: { clock, runtime: new FrameRuntime(clock, new SeededRandom(), channelObserver) },
  });
  const published: unknown[] = [];
  const listen = (message: unknown): void => void published.push(message);
  subscribe("holdfast:connection:suspect", listen);
  try {
    chat.run(20);
    chat.answers = false;
    chat.run(3);
    const [{ at: _, ...suspicion }] = chat.suspicions;
    assert.deepEqual(published, [{ connection: chat.connection, ...suspicion }]);
  } finally {
    unsubscribe("holdfast:connection:suspect", listen);
    chat.connection.terminate();
  }
});
