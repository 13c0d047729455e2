import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  connect,
  connectPersistent,
  serve,
  type CloseInfo,
  type Connection,
  type DiagnosticsMessages,
  type ServeOptions,
  type Server,
} from "../../../build/index.js";
import { eventually, frame, OPCODE, RawClient, withTimeout } from "holdfast-testkit";
import { recordingLogger } from "../recording-logger.js";

type Limited = DiagnosticsMessages["holdfast:server:limited"];

describe("Limits per connection", () => {
  let server: Server | null = null;
  let received: string[] = [];
  let ends: CloseInfo[] = [];
  const { logger, lines } = recordingLogger();
  const published: Limited[] = [];
  const onLimited = (message: unknown): void => void published.push(message as Limited);

  beforeEach(() => subscribe("holdfast:server:limited", onLimited));
  afterEach(async () => {
    unsubscribe("holdfast:server:limited", onLimited);
    await server?.close({ timeout: 0 });
    server = null;
    received = [];
    ends = [];
    lines.length = 0;
    published.length = 0;
  });

  const start = async (options: ServeOptions): Promise<Server> => {
    const handler = async (connection: Connection) => {
      ends.push(await connection.forEach((message) => void received.push(String(message))));
    };
    return (server = await serve(handler, { host: "127.0.0.1", logger, ...options }));
  };

  /** The log lines about limits, with their fields. */
  const limitLines = () =>
    lines.map(({ level, message, details }) => [level, message, (details as { reason: string }).reason]);

  test("G11: what exceeds messagesPerSecond waits, in order, and the log says so once", async () => {
    const { url } = await start({ limits: { messagesPerSecond: 100 } });
    const connection = await connect(url);
    const sent = Array.from({ length: 250 }, (_, index) => String(index));
    const began = performance.now();
    for (const text of sent) void connection.send(text);
    await eventually(() => received.length === 250, "all of them", 30_000);
    const elapsed = performance.now() - began;
    // 100 messages at once, and 150 more at 100 a second.
    assert(elapsed >= 1_400, `${elapsed} ms`);
    assert.deepEqual(received, sent);
    assert.deepEqual(limitLines(), [
      ["warn", "limit exceeded", "Expected at most 100 messages a second, got more."],
    ]);
    assert(published.length >= 2, `${published.length}`);
    for (const { limit, connection: limited } of published) {
      assert.deepEqual([limit, limited?.constructor.name], ["messagesPerSecond", "Connection"]);
    }
    assert.equal((await connection.close()).ok, true);
  });

  test("G11: what exceeds bytesPerSecond waits, in fragments and Pings as well", async () => {
    for (const [title, bytes] of [
      ["messages", frame({ opcode: OPCODE.binary, payload: new Uint8Array(1_000), mask: true })],
      ["pings", frame({ opcode: OPCODE.ping, payload: new Uint8Array(100), mask: true })],
      ["empty fragments", frame({ opcode: OPCODE.continuation, isFinal: false, mask: true })],
    ] as const) {
      const { port } = await start({ limits: { bytesPerSecond: 65_536 }, pingInterval: null });
      await using client = await RawClient.connect({ port });
      await client.upgrade();
      const [connection] = server?.connections ?? [];
      assert(connection !== undefined);
      if (title === "empty fragments")
        client.write(frame({ opcode: OPCODE.text, isFinal: false, mask: true }));
      const flood = Buffer.concat(Array.from({ length: Math.ceil(300_000 / bytes.length) }, () => bytes));
      const began = performance.now();
      client.write(flood);
      client.sendFrame(
        title === "empty fragments"
          ? { opcode: OPCODE.continuation, payload: "the last" }
          : { opcode: OPCODE.text, payload: "the last" },
      );
      await eventually(() => received.at(-1) === "the last", title, 30_000);
      // 64 KiB at once, and up to as much again in the last read; the rest at 64 KiB a second.
      const elapsed = performance.now() - began;
      assert(elapsed >= 2_000, `${title}: ${elapsed} ms`);
      assert.deepEqual(limitLines().length, 1, title);
      await server?.close({ timeout: 0 });
      lines.length = 0;
      received = [];
    }
  });

  test("G11: onExceeded `close` closes with 1008 instead", async () => {
    for (const [limits, reason] of [
      [{ messagesPerSecond: 10, onExceeded: "close" }, "too many messages a second"],
      [{ bytesPerSecond: 16_384, onExceeded: "close" }, "too many bytes a second"],
    ] as const) {
      const { url } = await start({ limits });
      const connection = await connect(url);
      for (let count = 0; count < 11; count++) void connection.send("x".repeat(2_000)).catch(() => undefined);
      const { code, reason: got, initiator } = await withTimeout(connection.closed, 30_000, "the Close");
      assert.deepEqual([code, got, initiator], [1008, reason, "peer"]);
      await eventually(() => ends.length === 1, "the end at the server");
      assert.deepEqual(
        ends.map(({ cause, sent }) => [cause, sent]),
        [["local-close", { code: 1008, reason }]],
      );
      assert.deepEqual([limitLines().length, published.length], [1, 1]);
      await server?.close({ timeout: 0 });
      ends = [];
      lines.length = 0;
      published.length = 0;
    }
  });

  for (const onExceeded of ["close", "pause"] as const) {
    test(`G11: a peer that ignores the Close and sends on is not heard, with onExceeded \`${onExceeded}\``, async () => {
      const { port } = await start({ limits: { messagesPerSecond: 10, onExceeded } });
      await using client = await RawClient.connect({ port });
      await client.upgrade();
      const [connection] = server?.connections ?? [];
      assert(connection !== undefined);
      if (onExceeded === "pause") void connection.close(4000);
      const message = frame({ opcode: OPCODE.text, payload: "x", mask: true });
      for (let count = 0; count < 50; count++)
        client.write(Buffer.concat(Array<Uint8Array>(1_000).fill(message)));
      client.sendClose(1000); // It is read all the same.
      await eventually(() => ends.length === 1, "the end at the server", 30_000);
      assert.deepEqual([ends[0]?.received?.code, ends[0]?.clean], [1000, true]);
      assert(received.length <= 100, `${received.length} messages`);
    });
  }

  test("G11 C3: a throttled peer, whose Pongs wait after its data, is not declared dead", async () => {
    // One read of 64 KiB takes twice as long as `pingTimeout`.
    const pings = { pingInterval: 300, pingTimeout: 1_000 };
    const { url } = await start({ limits: { bytesPerSecond: 32_768, messagesPerSecond: 50 }, ...pings });
    const connection = await connect(url);
    const sending = (async () => {
      for (let count = 0; count < 120; count++) await connection.send("x".repeat(1_500));
    })();
    await eventually(() => received.length === 120, "all of them", 40_000);
    await sending;
    assert.equal(connection.state, "open");
    assert.equal((await connection.close()).ok, true);
    await eventually(() => ends.length === 1, "the end at the server");
    assert.equal(ends[0]?.ok, true);
  });

  test("G11: close() of the server, and of a throttled connection, takes no longer", async () => {
    const { url } = await start({ limits: { messagesPerSecond: 1 } });
    const connection = await connect(url);
    for (let count = 0; count < 50; count++) void connection.send("x");
    await eventually(() => published.length > 0, "the limit");
    const began = performance.now();
    await server?.close({ timeout: 20_000 });
    assert(performance.now() - began < 19_000, `${performance.now() - began} ms`);
    assert.equal((await connection.closed).code, 1001);
  });

  for (const limit of ["messagesPerSecond", "bytesPerSecond"] as const) {
    test(`G11: what arrives at an allowed rate while the event loop is blocked does not exceed ${limit}, and allows nothing later`, async () => {
      const limits = limit === "messagesPerSecond" ? { [limit]: 100 } : { [limit]: 100_000 };
      const { port } = await start({ limits: { ...limits, onExceeded: "close" }, maxQueue: null });
      await using client = await RawClient.connect({ port });
      await client.upgrade();
      const message = frame({ opcode: OPCODE.text, payload: "x".repeat(900), mask: true });
      const burst = (count: number): void =>
        client.write(Buffer.concat(Array<Uint8Array>(count).fill(message)));
      await eventually(() => server?.connections.size === 1, "the connection");
      burst(250); // 100 are allowed at once.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
      await eventually(() => received.length === 250 || ends.length > 0, "all of them", 30_000);
      assert.deepEqual([received.length, ends.length], [250, 0]);
      burst(5_000);
      await eventually(() => ends.length === 1, "the end", 30_000);
      assert.equal(ends[0]?.sent?.code, 1008);
      assert(received.length < 5_000, `${received.length} messages`);
    });
  }

  test("G11: messages that are read piece by piece count as well", async () => {
    let count = 0;
    server = await serve(
      async (connection) => {
        for (;;) {
          for await (const _piece of connection.recvStream());
          count++;
        }
      },
      { host: "127.0.0.1", logger, limits: { messagesPerSecond: 50 } },
    );
    const connection = await connect(server.url);
    const began = performance.now();
    for (let index = 0; index < 120; index++) void connection.send("x").catch(() => undefined);
    await eventually(() => count === 120, "all of them", 30_000);
    assert(performance.now() - began >= 1_000);
    await connection.close();
  });

  test("G11, L1: the acks of a client that only listens do not count", async () => {
    const accepted: Connection[] = [];
    server = await serve(
      async (connection) => {
        accepted.push(connection);
        await connection.closed;
      },
      { host: "127.0.0.1", sessions: true, limits: { messagesPerSecond: 5, onExceeded: "close" } },
    );
    const link = connectPersistent(server.url, { session: true });
    let count = 0;
    const reading = link.forEach(() => count++);
    await eventually(() => accepted.length === 1, "the connection");
    for (let index = 0; index < 5_000; index++) await accepted[0]?.send("x", { until: "sent" });
    await eventually(() => count === 5_000, "all of them", 30_000);
    assert.deepEqual([accepted.length, accepted[0]?.state, published.length], [1, "open", 0]);
    link.terminate();
    await reading;
  });

  for (const [what, protocol, word, count, reason] of [
    ["link messages have a limit of their own", "holdfast.v1", "ping 00", 20_000, "link messages"],
    ["messages that a client publishes count", "holdfast.v1", "pub 1 topic\nx", 100, "messages"],
    ["without the link protocol, all messages count", "chat", "ping 00", 100, "messages"],
  ] as const) {
    test(`G11: ${what}`, async () => {
      const limits = { messagesPerSecond: 10, onExceeded: "close" } as const;
      const { port } = await start({ limits, subprotocols: ["chat"], pingInterval: null });
      await using client = await RawClient.connect({ port });
      await client.upgrade({ headers: { "Sec-WebSocket-Protocol": protocol } });
      for (let index = 0; index < 500 && protocol !== "chat"; index++) client.sendText(`${SYN}sub 1 topic`);
      client.sendText("hello");
      await eventually(() => received.length === 1, "the message of the application");
      assert.deepEqual([received, published.length], [["hello"], 0]);
      const message = frame({ opcode: OPCODE.text, payload: SYN + word, mask: true });
      client.write(Buffer.concat(Array<Uint8Array>(count).fill(message)));
      client.sendClose(1000);
      await eventually(() => ends.length === 1, "the end", 30_000);
      assert.deepEqual(ends[0]?.sent, { code: 1008, reason: `too many ${reason} a second` });
    });
  }
});

const SYN = "\u0016";
