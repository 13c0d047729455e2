// `connectionPair()`: real frames between two connections, in memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { heartbeat, TextBytes } from "../../build/index.js";
import { connectionPair, FakeClock } from "../../build/testing.js";
import { activeResources, assertNothingLeft, eventually } from "holdfast-testkit";

test("E5, D3: a pair exchanges text, bytes and fragments, pings, and closes, without a socket", async () => {
  const before = activeResources();
  const { client, server } = connectionPair({ data: { user: "ada" }, subprotocol: "chat" });
  const echoing = server.forEach((message) => server.send(message));
  for (const message of ["text", Uint8Array.of(1, 2, 3), ""]) {
    await client.send(message);
    assert.deepEqual(await client.recv(), message);
  }
  await client.send(["in ", "fragments"]);
  assert.equal(await client.recv(), "in fragments");
  assert.ok((await client.ping()) >= 0);
  assert.deepEqual([server.data.user, server.subprotocol, client.subprotocol], ["ada", "chat", "chat"]);
  assert.equal(client.remoteAddress, null);
  const info = await client.close(3001, "enough");
  assert.deepEqual(
    [info.clean, info.code, (await echoing).received],
    [true, 3001, { code: 3001, reason: "enough" }],
  );
  await assertNothingLeft(before);
});

test("E4, E5: a pair has backpressure: a sender waits for a reader that does not read", async () => {
  const { client, server } = connectionPair({
    client: { pingInterval: null },
    server: { pingInterval: null, maxQueue: 4, maxMessageSize: null },
  });
  const chunk = new Uint8Array(256 * 1024);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 32; sent++) await client.send(chunk);
  })();
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  const waitingAt = sent;
  assert.ok(waitingAt < 32, `${waitingAt} sent`);
  for (let n = 0; n < 32; n++) assert.equal((await server.recv()).length, chunk.length);
  await sending;
  await client.close();
});

test("C7: with a fake clock, a dead peer is found exactly after pingInterval + pingTimeout", async () => {
  const clock = new FakeClock();
  const options = { pingInterval: 20_000, pingTimeout: 10_000 };
  const { client } = connectionPair({
    clock,
    client: options,
    server: { pingInterval: null, autoPong: false },
  });
  await clock.advanceAsync(9_999);
  assert.equal(client.state, "open");
  await clock.advanceAsync(1);
  await clock.settle();
  assert.equal((await client.closed).cause, "heartbeat-timeout");
});

test("C1, C17, D4: a fake clock drives pings, timeouts of the application, and the closing handshake", async () => {
  const clock = new FakeClock();
  const { client, server } = connectionPair({
    clock,
    client: { pingInterval: 1_000, closeTimeout: 5_000 },
    server: { pingInterval: null },
  });
  for (let second = 0; second < 10; second++) await clock.advanceAsync(1_000);
  assert.deepEqual([client.latencyStats.answered >= 10, client.latency], [true, 0]);

  const waiting = client.recv({ timeout: 500 });
  const beating = heartbeat(client, { timeout: 100, interval: 100, signal: AbortSignal.abort() });
  await assert.rejects(beating, { name: "AbortError" });
  const failed = assert.rejects(waiting, { name: "TooSlowError" });
  await clock.advanceAsync(500);
  await failed;

  const closing = client.close();
  await clock.advanceAsync(0);
  await clock.settle();
  assert.deepEqual([(await closing).ok, server.state, clock.pendingTimers], [true, "closed", 0]);
});

test("E8: a pair compresses if both ends want it, also on a fake clock", async () => {
  const message = "compressible ".repeat(1_000);
  for (const clock of [null, new FakeClock()]) {
    for (const [client, server, isCompressed] of [
      [true, { level: 9 }, true],
      [true, false, false],
      [false, true, false],
    ] as const) {
      const pair = connectionPair({
        clock,
        client: { compression: client },
        server: { compression: server },
      });
      const received = pair.server.recv();
      void pair.client.send(message);
      await eventually(() => {
        clock?.advance(1);
        return pair.server.traffic.messagesReceived === 1;
      }, "the message");
      assert.equal(await received, message);
      assert.equal(pair.client.traffic.bytesSent < 1_000, isCompressed);
      assert.deepEqual(pair.client.extensions, pair.server.extensions);
      assert.equal(pair.client.extensions.length, isCompressed ? 1 : 0);
      const answer = pair.client.response.headers.get("Sec-WebSocket-Extensions");
      assert.equal(answer, isCompressed ? pair.client.extensions[0] : null);
      pair.client.terminate();
      clock?.advance(1);
    }
  }
});

test("G9: a pair honours each option of its ends", async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const { client, server } = connectionPair({
    clock,
    client: { detection: "adaptive", pingInterval: 1_000, text: "bytes", logger: null },
    server: { autoPong: false, logger: { debug: log, info: log, warn: log, error: log }, maxMessageSize: 8 },
  });
  void server.send("é");
  await clock.advanceAsync(5_000);
  assert.deepEqual(await client.recv(), TextBytes.from(Buffer.from("é")));
  assert.equal(client.latencyStats.answered, 0);
  assert.ok(lines.includes("connection open"));
  void client.send("too long for it").catch(() => undefined);
  await clock.advanceAsync(10_000);
  const { code, evidence } = await client.closed;
  assert.deepEqual([code, evidence.detection, evidence.pingInterval], [1009, "adaptive", 1_000]);
});

test("D1: terminate() cuts the other end", async () => {
  const { client, server } = connectionPair();
  client.terminate();
  const [one, other] = await Promise.all([client.closed, server.closed]);
  assert.deepEqual([one.cause, other.cause], ["aborted", "eof"]);
});

test("G9: unknown and invalid options are refused", () => {
  // @ts-expect-error -- misspelt
  assert.throws(() => connectionPair({ clok: null }), { name: "InvalidArgumentError" });
  // @ts-expect-error -- not a clock
  assert.throws(() => connectionPair({ clock: {} }), /to be a FakeClock/);
  // @ts-expect-error -- misspelt
  assert.throws(() => connectionPair({ client: { pingIntervall: 5 } }), /pingInterval/);
});
