import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPCODE } from "holdfast-testkit";
import { follow, Harness, ROLES, summary } from "../harness.js";

const NAMES = ["ping", "pong", "overdue", "suspended", "paused", "resumed"] as const;

/** Records the names and numbers of a connection's events, with their times. */
function record(h: Harness) {
  const events: string[] = [];
  for (const name of NAMES) {
    h.connection.on(name, (event) => {
      const numbers = Object.entries(event).filter(([, value]) => typeof value === "number");
      const told = numbers.map(([key, value]) => `${key} ${String(value)}`).join(", ");
      events.push(`${h.clock.now()}: ${name} ${told}`.trimEnd());
    });
  }
  return events;
}

describe("The verdict", () => {
  for (const role of ROLES) {
    test(`C5, C6: a mute peer of a ${role} receives Close 1011 and is disconnected in the same turn, at pingTimeout exactly`, async () => {
      const h = new Harness({ role, pingInterval: 20_000, pingTimeout: 15_000 });
      h.clock.advance(14_999);
      assert.deepEqual([h.connection.state, h.sent()], ["open", ["PING (8 bytes)"]]);
      const reader = follow(h.connection.recv());
      h.clock.advance(1);
      assert.deepEqual([h.transport.isDestroyed, h.connection.state], [true, "closed"]);
      const [close] = h.sentFrames();
      assert.deepEqual(close, {
        opcode: OPCODE.close,
        isFinal: true,
        rsv: 0,
        isMasked: role === "client",
        payload: Uint8Array.from(Buffer.from("\x03\xf3keepalive ping timeout", "latin1")),
      });
      const info = await h.end();
      assert.deepEqual(summary(info), {
        code: 1006,
        reason: "",
        received: null,
        sent: { code: 1011, reason: "keepalive ping timeout" },
        receivedFirst: false,
        clean: false,
        ok: false,
        initiator: "local",
        cause: "heartbeat-timeout",
        error: null,
        message: "sent 1011 (internal error) keepalive ping timeout; no close frame received",
      });
      assert.equal(reader.outcome.status, "rejected");
      h.assertGone();
    });

    test(`C7: a ${role} whose peer stopped reading with 50 MB queued declares it dead on time`, async () => {
      const h = new Harness({ role, capacity: 64 * 1024, pingInterval: 20_000, pingTimeout: 20_000 });
      h.answerPing();
      const sends = Array.from({ length: 50 }, () => follow(h.connection.send(new Uint8Array(1024 * 1024))));
      assert(h.connection.bufferedAmount > 49 * 1024 * 1024);
      h.clock.advance(39_999); // The ping of the grid is queued at 20 000, and never sent.
      assert.equal(h.connection.state, "open");
      h.clock.advance(1);
      const info = await h.end();
      assert.equal(info.cause, "heartbeat-timeout");
      assert.equal(
        info.message,
        "sent 1011 (internal error) keepalive ping timeout; no close frame received",
      );
      assert(info.evidence.bytesBuffered > 49 * 1024 * 1024);
      const outcomes = new Set(sends.map(({ outcome }) => outcome.status));
      assert.deepEqual([...outcomes], ["rejected"]);
      assert.equal(h.connection.bufferedAmount, 0);
      h.assertGone();
    });
  }

  test("C6: the verdict's Close is sent after this turn's messages, in the last write", () => {
    const h = new Harness({ pingInterval: 10_000, pingTimeout: 5000 });
    h.runtime.clock.setTimer(5000, () => void h.connection.send("last words"));
    h.clock.advance(5000);
    assert.deepEqual(h.sent(), ["PING (8 bytes)", "TEXT last words", "CLOSE 1011 keepalive ping timeout"]);
    assert.equal(h.transport.isDestroyed, true);
  });

  test("C1: the first ping is sent at once, and then one each interval, on a busy connection too", () => {
    for (const role of ROLES) {
      const h = new Harness({ role, pingInterval: 1000, preface: Buffer.from("HTTP/1.1 101\r\n\r\n") });
      const preface = Buffer.from(h.transport.takeWritten()).toString("latin1");
      h.clock.turn();
      h.clock.turn();
      const first = Buffer.from(h.transport.takeWritten()).toString("latin1");
      // A server sends its first ping in a separate write: some clients lose data that follows the response
      // in one write.
      if (role === "server") assert.equal(preface, "HTTP/1.1 101\r\n\r\n");
      assert.match(preface + first, /^HTTP\/1\.1 101\r\n\r\n\x89/);
      const pings: number[] = [];
      for (let at = 100; at <= 5000; at += 100) {
        void h.connection.send("busy");
        h.clock.advance(100);
        h.deliver(h.text("busy"));
        for (const { opcode, payload } of h.sentFrames()) {
          if (opcode !== OPCODE.ping) continue;
          pings.push(at);
          h.deliver(h.pong(payload));
        }
      }
      assert.deepEqual(pings, [1000, 2000, 3000, 4000, 5000]);
    }
  });

  test("C8: a loop that was blocked for three pingTimeouts finds the pong in the kernel, and reports the length of the gap", () => {
    const h = new Harness({ pingInterval: 1000, pingTimeout: 1000 });
    const events = record(h);
    h.answerPing();
    h.clock.advance(1000);
    const [ping] = h.sentFrames();
    h.transport.arrive(h.pong(ping.payload));
    h.clock.stall(3000);
    h.answerPing();
    assert.deepEqual(events, [
      "0: pong roundTrip 0",
      "4000: suspended gap 2000",
      "4000: pong roundTrip 3000",
      "4000: pong roundTrip 0",
    ]);
    assert.equal(h.connection.state, "open");
    assert.equal(h.connection.latencyStats.max, 0, "the stall is ours, and no sample of the network");
  });

  test("C9: after a suspension one fresh probe has a whole pingTimeout, then the verdict follows", async () => {
    const h = new Harness({ pingInterval: 20_000, pingTimeout: 5000 });
    const events = record(h);
    h.answerPing();
    h.clock.suspend(3_600_000);
    h.clock.advance(20_000);
    h.clock.advance(4999);
    assert.equal(h.connection.state, "open");
    h.clock.advance(1);
    const info = await h.end();
    assert.deepEqual([info.cause, info.evidence.longestStall], ["heartbeat-timeout", 3_600_000]);
    assert.deepEqual(events.slice(0, 2), ["0: pong roundTrip 0", "20000: suspended gap 3600000"]);
  });

  test("C10: a paused reader causes no verdict however long it pauses, and pongs still count once it resumes", async () => {
    const h = new Harness({ pingInterval: 1000, pingTimeout: 1000, maxQueue: { messages: 4, bytes: 1_000 } });
    const events = record(h);
    h.answerPing();
    h.deliver(h.text("0"));
    await h.connection.recv();
    // The first one uses up the memory limit of 64 KiB.
    h.deliver(...["1".repeat(70_000), "2", "3", "4", "5"].map((text) => h.text(text)));
    assert.equal(h.transport.isPaused, true);
    for (let second = 0; second < 60; second++) h.clock.advance(1000);
    assert.equal(h.connection.state, "open");
    const pings = h.sentFrames().filter(({ opcode }) => opcode === OPCODE.ping);
    for (const { payload } of pings) h.transport.arrive(h.pong(payload));
    for (let count = 0; count < 4; count++) await h.connection.recv();
    assert.equal(h.transport.isPaused, false);
    h.clock.advance(900);
    assert.equal(h.connection.state, "open");
    assert.deepEqual(events.slice(0, 3), [
      "0: pong roundTrip 0",
      "0: paused messages 1, bytes 70000",
      "60000: resumed duration 60000",
    ]);
    assert.equal(pings.length, 60);
    assert.equal(events.length, 3 + 60);
    // A peer that stays silent after that is still judged.
    h.clock.advance(10_000);
    assert.equal((await h.end()).cause, "heartbeat-timeout");
  });

  test("C11: with `liveness: traffic` received bytes delay the verdict, and sent bytes do not", async () => {
    const h = new Harness({ pingInterval: 1000, pingTimeout: 1000, liveness: "traffic" });
    for (let tick = 0; tick < 50; tick++) {
      h.clock.advance(100);
      h.deliver(h.text("alive").subarray(0, 1), h.text("alive").subarray(1));
    }
    assert.equal(h.connection.state, "open");
    for (let tick = 0; tick < 9; tick++) {
      h.clock.advance(100);
      void h.connection.send("still here");
    }
    assert.equal(h.connection.state, "open");
    h.clock.advance(101);
    assert.equal((await h.end()).cause, "heartbeat-timeout");
  });

  test("C15: `overdue` reports a late ping once, long before the verdict", () => {
    const h = new Harness({ pingInterval: 20_000 });
    const events = record(h);
    h.clock.advance(19_000);
    assert.deepEqual(events, ["1000: overdue elapsed 1000, expected 1000"]);
  });

  test("C5: with `pingTimeout: null` there is no verdict, and every ping is still measured", async () => {
    const h = new Harness({ pingInterval: 1000, pingTimeout: null });
    h.clock.advance(1_000_000);
    assert.equal(h.connection.state, "open");
    assert.equal(h.connection.latencyStats.sent, 1001);
    h.connection.terminate();
    await h.end();
    h.assertGone();
  });
});
