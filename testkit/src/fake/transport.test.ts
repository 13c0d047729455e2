import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ByteStreamHandler } from "../ports.js";
import { FakeClock } from "../../../packages/holdfast/build/testing/fake/clock.js";
import { FakeTransport } from "./transport.js";

/** A handler that records its calls, and that lets a test react to them. */
function recorder(onEvent: (event: string) => void = () => undefined) {
  const events: string[] = [];
  const note = (event: string) => {
    events.push(event);
    onEvent(event);
  };
  const handler: ByteStreamHandler = {
    onChunk: (chunk) => {
      note(Buffer.from(chunk).toString("latin1"));
    },
    onEof: () => {
      note("eof");
    },
    onError: ({ code }) => {
      note(`error ${code}`);
    },
    onDrain: () => {
      note("drain");
    },
    onClosed: () => {
      note("closed");
    },
  };
  return { events, handler };
}

function started(options: { capacity?: number } = {}, onEvent?: (event: string) => void) {
  const clock = new FakeClock();
  const transport = new FakeTransport({ clock, ...options });
  const { events, handler } = recorder(onEvent);
  transport.start(handler);
  return { clock, transport, events };
}

describe("FakeTransport", () => {
  test("keeps what was written, as a whole and write by write", () => {
    const { transport } = started();
    assert.equal(transport.write([Uint8Array.of(1), Uint8Array.of(2, 3)]), true);
    assert.equal(transport.write([Uint8Array.of(4)]), true);
    assert.deepEqual(transport.writes, [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
    assert.deepEqual(transport.takeWritten(), Uint8Array.of(1, 2, 3, 4));
    assert.deepEqual(transport.written, new Uint8Array());
  });

  test("delivers at once, but what arrived before start() only in a later turn", () => {
    const clock = new FakeClock();
    const transport = new FakeTransport({ clock });
    const { events, handler } = recorder();
    transport.deliver("early");
    transport.start(handler);
    assert.deepEqual(events, []);
    clock.turn();
    transport.deliver("now");
    assert.deepEqual(events, ["early", "now"]);
  });

  test("holds what arrives while reading is paused, even when a chunk's receiver pauses", () => {
    const { clock, transport, events } = started({}, (event) => {
      if (event === "a") transport.pause();
    });
    transport.arrive("a");
    transport.arrive("b");
    clock.turn();
    transport.deliver("c");
    transport.eof();
    assert.deepEqual([events, transport.isPaused], [["a"], true]);
    transport.resume();
    assert.deepEqual(events, ["a"]);
    clock.turn();
    assert.deepEqual(events, ["a", "b", "c", "eof"]);
  });

  test("arrive() leaves bytes in the kernel while the event loop is stalled, until the poll after the timers", () => {
    const { clock, transport, events } = started();
    clock.setTimer(100, () => events.push("timer"));
    transport.arrive("pong");
    transport.arriveEof();
    clock.stall(1_000);
    assert.deepEqual(events, ["timer", "pong", "eof"]);
  });

  test("blocks once its capacity is used up, until it has drained", () => {
    const { transport, events } = started({ capacity: 4 });
    assert.equal(transport.write([Uint8Array.of(1, 2, 3)]), true);
    assert.equal(transport.write([Uint8Array.of(4, 5), Uint8Array.of(6)]), false);
    assert.deepEqual([transport.bufferedAmount, transport.isBlocked], [2, true]);
    transport.drain(1);
    assert.deepEqual([transport.bufferedAmount, transport.isBlocked, events], [1, true, []]);
    assert.deepEqual(transport.taken, Uint8Array.of(1, 2, 3, 4, 5));
    transport.drain();
    assert.deepEqual([transport.bufferedAmount, transport.isBlocked, events], [0, false, ["drain"]]);
    assert.equal(transport.write([Uint8Array.of(7, 8, 9, 10)]), true);
    transport.setCapacity(0);
    assert.equal(transport.write([Uint8Array.of(11)]), false);
  });

  test("reveals memory that is changed before the kernel accepted it", () => {
    const { transport } = started({ capacity: 0 });
    const memory = Uint8Array.of(1, 2);
    transport.write([memory]);
    memory.fill(0);
    transport.drain();
    assert.deepEqual([transport.written, transport.taken], [Uint8Array.of(1, 2), Uint8Array.of(0, 0)]);
  });

  test("destroy() drops unsent bytes and reports the end once, at the end of the turn", () => {
    const { clock, transport, events } = started({ capacity: 0 });
    transport.write([Uint8Array.of(1)]);
    transport.arrive("unread");
    transport.destroy();
    transport.destroy();
    transport.fail();
    assert.deepEqual([events, transport.isDestroyed, transport.isClosed], [[], true, false]);
    clock.turn();
    clock.turn();
    assert.deepEqual([events, transport.isClosed, transport.bufferedAmount], [["closed"], true, 0]);
    assert.deepEqual(transport.taken, new Uint8Array());
  });

  test("fail() reports the error at once and the end later", () => {
    const { clock, transport, events } = started({}, (event) => {
      if (event === "error EPIPE") transport.destroy();
    });
    transport.pause();
    transport.fail("EPIPE");
    assert.deepEqual(events, ["error EPIPE"]);
    clock.turn();
    assert.deepEqual(events, ["error EPIPE", "closed"]);
  });

  test("reports a failure from before start() after it", () => {
    const clock = new FakeClock();
    const transport = new FakeTransport({ clock });
    const { events, handler } = recorder();
    transport.fail();
    transport.start(handler);
    assert.deepEqual(events, []);
    clock.turn();
    assert.deepEqual(events, ["error ECONNRESET", "closed"]);
  });

  test("closes by itself once both sides have ended and everything was taken", () => {
    const { clock, transport, events } = started({ capacity: 0 });
    transport.write([Uint8Array.of(1)]);
    transport.end();
    transport.eof();
    clock.turn();
    assert.deepEqual([events, transport.isEnded, transport.isDestroyed], [["eof"], true, false]);
    transport.drain();
    clock.turn();
    assert.deepEqual(events, ["eof", "drain", "closed"]);
    const { transport: ended } = started();
    ended.end();
    assert.throws(() => ended.write([Uint8Array.of(1)]), /after end/);
  });

  test("uses the microtask queue where it has no clock", async () => {
    const transport = new FakeTransport();
    const { events, handler } = recorder();
    transport.start(handler);
    transport.destroy();
    assert.deepEqual(events, []);
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual(events, ["closed"]);
  });
});
