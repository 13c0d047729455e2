// The end of a page's session: a browser delivers nothing that arrives after its Close.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ClientSessionCarrier } from "../../../build/transport/session/client-session-carrier.js";
import type { ConnectionCore } from "../../../build/connection/connection-core.js";
import type { ConnectionOptions } from "../../../build/connection/options.js";
import { WireHarness } from "../browser/wire-harness.js";

const SESSION = `\u0016session ${"A".repeat(12)} ${"B".repeat(22)} 2s 2s`;
const PING = "\u0016ping 656e64";
const PONG = "\u0016pong 656e64";

/** A page's connection with a session, and the carrier of that session. */
async function openPage(
  options: ConnectionOptions = {},
): Promise<{ harness: WireHarness; carrier: ClientSessionCarrier; lost: unknown[] }> {
  const lost: unknown[] = [];
  const handler = {
    onAttached: () => [],
    isRefusing: false,
    unread: 0,
    onResumed: () => undefined,
    onLost: (event: unknown) => lost.push(event),
  };
  const window = { messages: 1024, bytes: 262_144 };
  const settings = { window, ackDelay: 100, writeLimit: 65_536, saved: null };
  let carrier: ClientSessionCarrier | undefined;
  const harness = new WireHarness(options, (below) => (core) => {
    carrier = new ClientSessionCarrier((core as ConnectionCore).runtime, settings, handler);
    return carrier.over(below, "messages", () => undefined)(core);
  });
  assert(carrier !== undefined);
  harness.socket.deliver(SESSION);
  await harness.clock.settle();
  assert.equal(harness.socket.log.shift(), "\u0016open");
  return { harness, carrier, lost };
}

test("L1: the first message of a page's session is `open`, before the first ping", async () => {
  const { harness } = await openPage({ pingInterval: 1_000 });
  const asked = harness.asked();
  assert.deepEqual([asked.length, asked[0].startsWith("\u0016ping ")], [1, true]);
});

describe("The end of a page's session", () => {
  test("L3: the Close waits for the server's answer to `end`, so that messages count as delivered", async () => {
    const { harness, carrier, lost } = await openPage();
    const { connection, socket, clock } = harness;
    const fates: string[] = [];
    for (const text of ["a", "b"]) {
      void connection.send(text, { until: "delivered" }).then(
        () => fates.push(text),
        (error: unknown) => fates.push(String(error)),
      );
    }
    carrier.willEnd();
    void connection.close();
    await clock.settle();
    assert.deepEqual(harness.asked(), ["a", "b", "\u0016end", PING]);
    socket.deliver("a late message");
    socket.deliver("\u0016ack 1"); // It was on its way.
    socket.deliver("\u0016ack 2");
    await clock.settle();
    assert.deepEqual([harness.asked(), fates], [[], ["a", "b"]]);
    socket.deliver(PONG);
    assert.deepEqual(harness.asked(), ["close 1000"]);
    socket.end(1000);
    await clock.settle();
    carrier.onSocketEnded(await connection.closed);
    assert.equal(await connection.recv(), "a late message");
    assert.deepEqual([harness.ends.map(({ cause, ok }) => [cause, ok]), lost], [[["local-close", true]], []]);
  });

  test("L3: the Close waits for messages that the server confirms once it has handled them", async () => {
    const { harness, carrier } = await openPage();
    const { connection, socket, clock } = harness;
    const sends = ["a", "b"].map((text) => connection.send(text, { until: "delivered" }));
    carrier.willEnd();
    void connection.close();
    assert.deepEqual(harness.asked(), ["a", "b", "\u0016end", PING]);
    socket.deliver(PONG);
    socket.deliver("\u0016ack 1");
    assert.deepEqual(harness.asked(), []);
    socket.deliver("\u0016ack 2");
    assert.deepEqual(harness.asked(), ["close 1000"]);
    await Promise.all(sends);
    socket.end(1000);
    await clock.settle();
  });

  test("L3: the Close does not wait if everything is confirmed; the server's messages are confirmed before `end`", async () => {
    const { harness, carrier } = await openPage();
    const { connection, socket, clock } = harness;
    void connection.send("a");
    socket.deliver("\u0016ack 1");
    socket.deliver("b");
    harness.asked();
    carrier.willEnd();
    void connection.close();
    assert.deepEqual(harness.asked(), ["\u0016ack 1", "\u0016end", "close 1000"]);
    socket.end(1000);
    await clock.settle();
  });

  test("L3 D4: the Close waits for half of `closeTimeout`, and no longer than the peer's Close", async () => {
    for (const [closeTimeout, limit] of [
      [2_000, 1_000],
      [null, 5_000],
    ] as const) {
      const { harness, carrier } = await openPage({ closeTimeout });
      const { connection, socket, clock } = harness;
      void connection.send("a");
      carrier.willEnd();
      void connection.close();
      assert.deepEqual(harness.asked(), ["a", "\u0016end", PING]);
      await clock.advanceAsync(limit - 1);
      assert.deepEqual(harness.asked(), []);
      await clock.advanceAsync(1);
      assert.deepEqual(harness.asked(), ["close 1000"]);
      socket.end(1000);
      await clock.settle();
    }
    const { harness, carrier } = await openPage();
    void harness.connection.send("a");
    carrier.willEnd();
    void harness.connection.close();
    harness.asked();
    harness.socket.end(1001);
    await harness.clock.advanceAsync(10_000);
    assert.deepEqual([harness.asked(), harness.ends.length], [[], 1]);
  });
});
