import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { coreOf } from "../../../build/connection/core-of.js";
import { follow, Harness, ROLES } from "../harness.js";

const TIMEOUT = 1500;
const STALL = 1400;

describe("A stall in the turn that queues a ping", () => {
  for (const role of ROLES) {
    for (const message of [null, "first"]) {
      const title = message === null ? "" : ", and a message before it,";
      test(`C8: a ${role}'s ping${title} reaches the socket late: its whole timeout remains`, async () => {
        const h = new Harness({ role });
        if (message !== null) void h.connection.send(message);
        const ping = follow(h.connection.ping("x", { timeout: TIMEOUT }));
        h.clock.stall(STALL);
        assert.deepEqual(h.sent(), message === null ? ["PING x"] : ["PING x", "TEXT first"]);
        h.clock.advance(TIMEOUT - 1);
        h.deliver(h.pong("x"));
        await h.clock.settle();
        assert.deepEqual(ping.outcome, { status: "fulfilled", value: TIMEOUT - 1 });
        assert.equal(
          h.connection.latency,
          TIMEOUT - 1,
          "the ping was sent after the stall, so it is a sample",
        );
      });
    }

    test(`C5: a mute peer of a ${role} fails a ping exactly one timeout after the stall`, async () => {
      const h = new Harness({ role });
      const ping = follow(h.connection.ping("x", { timeout: TIMEOUT }));
      h.clock.stall(STALL);
      await h.clock.advanceAsync(TIMEOUT - 1);
      assert.equal(ping.outcome.status, "pending");
      await h.clock.advanceAsync(1);
      assert.equal(ping.outcome.status, "rejected");
    });

    test(`C8: a ${role}'s keepalive ping that reaches the socket late has its whole pingTimeout, and no more`, async () => {
      const h = new Harness({ role, pingInterval: 30_000, pingTimeout: TIMEOUT });
      const gaps: number[] = [];
      h.connection.on("suspended", ({ gap }) => gaps.push(gap));
      h.answerPing();
      const probe = (): void => {
        coreOf(h.connection).probe();
        h.clock.stall(STALL);
        assert.deepEqual(h.sent(), [], "not yet sent: the turn is not over");
      };
      h.clock.afterPoll(probe);
      h.clock.turn();
      h.clock.advance(TIMEOUT - 1);
      h.answerPing();
      assert.deepEqual([gaps, h.connection.state], [[STALL], "open"]);
      h.clock.afterPoll(probe);
      h.clock.turn();
      const sentAt = h.clock.wallNow();
      h.clock.advance(TIMEOUT);
      const { cause, evidence } = await h.end();
      assert.deepEqual([cause, evidence.longestStall], ["heartbeat-timeout", STALL]);
      assert.equal(evidence.endedAt, sentAt + TIMEOUT);
    });

    test(`C7: a full write buffer still counts against the peer of a ${role}`, async () => {
      const h = new Harness({ role });
      h.transport.setCapacity(0);
      await h.connection.send("first");
      h.clock.turn();
      const ping = follow(h.connection.ping("x", { timeout: TIMEOUT }));
      h.clock.turn();
      h.clock.advance(STALL);
      h.transport.drain();
      await h.clock.advanceAsync(TIMEOUT - STALL - 1);
      assert.equal(ping.outcome.status, "pending");
      await h.clock.advanceAsync(1);
      assert.equal(ping.outcome.status, "rejected");
    });
  }

  test("C5, C8: a server whose loop was blocked before its first ping went out judges from then on", async () => {
    const h = new Harness({ role: "server", pingInterval: 30_000, pingTimeout: TIMEOUT });
    const gaps: number[] = [];
    h.connection.on("suspended", ({ gap }) => gaps.push(gap));
    h.clock.turn();
    h.clock.stall(STALL);
    assert.deepEqual(gaps, [STALL]);
    h.clock.advance(TIMEOUT - 1);
    assert.equal(h.connection.state, "open");
    h.clock.advance(1);
    assert.equal((await h.end()).cause, "heartbeat-timeout");
  });

  test("C8: what follows in the turn that queued a ping counts once, also beside an overdue deadline", () => {
    const h = new Harness({ pingInterval: 1000, pingTimeout: 1000 });
    const gaps: number[] = [];
    h.connection.on("suspended", ({ gap }) => gaps.push(gap));
    h.clock.advance(10);
    h.answerPing();
    void h.connection.ping("x", { timeout: TIMEOUT }).catch(() => undefined);
    h.clock.stall(5000);
    h.clock.turn();
    assert.deepEqual(gaps, [5000]);
  });
});
