import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import {
  connect,
  connectInWorker as connectSoon,
  ConnectionClosedError,
  InvalidArgumentError,
  InvalidStatusError,
  OpenTimeoutError,
  serve,
  TextBytes,
  TooSlowError,
  WorkerError,
  type Connection,
  type ConnectInWorkerOptions,
  type Server,
  type Suspicion,
} from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  blockEventLoop,
  eventually,
  FaultProxy,
  RawServer,
  slowness,
  withTimeout,
  type ResourceCounts,
} from "holdfast-testkit";
import { startEchoThread } from "./echo-thread.js";

/** A worker has to load the library first, which takes a busy machine longer than the default `openTimeout`. */
function connectInWorker(url: string, options: ConnectInWorkerOptions = {}): Promise<Connection> {
  return connectSoon(url, { openTimeout: 60_000, ...options });
}

const INTERVAL = 100;
const TIMEOUT = 400 * slowness();

describe("A connection in a worker thread", { timeout: 300_000 }, () => {
  let resources: ResourceCounts;

  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(() => assertNothingLeft(resources, { timeout: 30_000 }));

  function echo(): Promise<Server> {
    return serve((connection) => void connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
    });
  }

  test("O1: adaptive detection works in the worker: the suspicion, the verdict and its evidence cross to this thread", async () => {
    await using server = await echo();
    await using proxy = await FaultProxy.start({ target: { port: server.port } });
    await using connection = await connectInWorker(proxy.url("ws"), { detection: { maxPeriod: 200 } });
    const suspicions: Suspicion[] = [];
    connection.on("suspect", (suspicion) => suspicions.push(suspicion));
    await eventually(() => connection.latencyStats.answered >= 6, "six samples");
    proxy.freeze();
    const { cause, evidence } = await connection.closed;
    assert.deepEqual([cause, evidence.detection], ["heartbeat-timeout", "adaptive"]);
    assert.equal(suspicions.length, 1);
    assert((evidence.deadAfter ?? Infinity) < 20_000);
    for (const each of server.connections) each.terminate();
  });

  test("I1: carries text, bytes and fragments both ways, in order, and leaves the caller's bytes alone", async () => {
    await using server = await echo();
    await using connection = await connectInWorker(server.url);
    const bytes = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
    await connection.send("text ✓");
    await connection.send(bytes);
    await connection.send(["a ", "b ✓"]);
    await connection.send([new Uint8Array([7]), new Uint8Array([8])]);
    await connection.send("");
    await connection.send(new Uint8Array());
    await connection.send(new Uint8Array());
    const received = [];
    for (let count = 0; count < 7; count++) received.push(await connection.recv());
    const [one, two] = [new Uint8Array([1, 2]), new Uint8Array([7, 8])];
    assert.deepEqual(received, ["text ✓", one, "a b ✓", two, "", new Uint8Array(), new Uint8Array()]);
    assert.deepEqual([...bytes], [1, 2]);
  });

  test("I1: delivers text as TextBytes on request, and sends them", async () => {
    await using server = await echo();
    await using connection = await connectInWorker(server.url, { text: "bytes" });
    await connection.send(new TextBytes(new TextEncoder().encode("text ✓")));
    const message = await connection.recv();
    assert(message instanceof TextBytes);
    assert.equal(message.toString(), "text ✓");
  });

  test("I1: reports its opening and end as the connection in the worker does", async () => {
    await using server = await serve((connection) => connection.close(4001, "enough"), {
      host: "127.0.0.1",
      subprotocols: ["chat"],
    });
    const connection = await connectInWorker(server.url, { subprotocols: ["chat"] });
    const { code, reason, cause, message, clean, ok, initiator, evidence } = await connection.closed;
    assert.deepEqual(
      [connection.subprotocol, connection.request.target, connection.response.status, connection.state],
      ["chat", "/", 101, "closed"],
    );
    assert.equal(connection.remoteAddress?.port, server.port);
    assert.deepEqual(
      { code, reason, cause, message, clean, ok, initiator },
      {
        code: 4001,
        reason: "enough",
        cause: "peer-close",
        message: "received 4001 (private use) enough; then sent 4001 (private use) enough",
        clean: true,
        ok: false,
        initiator: "peer",
      },
    );
    assert(evidence.bytesReceived > 0 && evidence.latency.sent > 0);
    await assert.rejects(connection.recv(), ConnectionClosedError);
    assert(connection.signal.reason instanceof ConnectionClosedError);
  });

  test("C8: survives a main thread that is blocked for 3 × pingTimeout, with its latency measured all the while", async () => {
    await using server = await startEchoThread();
    await using connection = await connectInWorker(server.url, {
      pingInterval: INTERVAL,
      pingTimeout: TIMEOUT,
    });
    await connection.ping();
    const { answered } = connection.latencyStats;
    blockEventLoop(3 * TIMEOUT);
    await eventually(() => connection.latencyStats.answered >= answered + 5, "pongs of that time", 30_000);
    assert.equal(connection.state, "open");
    await connection.send("still there?");
    assert.equal(await connection.recv(), "still there?");
  });

  test("C5: a mute peer is declared dead on time while the main thread is blocked", async () => {
    await using server = await startEchoThread(true);
    const connection = await connectInWorker(server.url, { pingInterval: INTERVAL, pingTimeout: TIMEOUT });
    assert(server.blockUntilGone(30_000), "a verdict while this thread is blocked");
    const { cause, evidence } = await withTimeout(connection.closed, 30_000, "the verdict");
    assert.equal(cause, "heartbeat-timeout");
    const took = evidence.endedAt - (evidence.openedAt ?? 0);
    assert(took >= TIMEOUT && took < 20_000, `${took} ms after it opened`);
    assert.equal(await connection.recv(), "I answer no ping", "D8: what came before is readable");
  });

  for (const compression of [false, true]) {
    test(`J2: traffic counts the bytes on the wire, and ends as the evidence says, with compression: ${compression}`, async () => {
      const settings = { compression, pingInterval: null };
      await using server = await serve((peer) => void peer.forEach((message) => peer.send(message)), {
        host: "127.0.0.1",
        ...settings,
      });
      const own = await connect(server.url, settings);
      const connection = await connectInWorker(server.url, settings);
      for (const each of [own, connection]) {
        each.send(new Uint8Array(100_000).fill(7)).catch(() => undefined);
        await each.recv();
      }
      assert.deepEqual(connection.traffic, own.traffic);
      await own.close();
      const { evidence } = await connection.close();
      assert.deepEqual({ ...evidence, ...connection.traffic }, evidence);
      const { bytesReceived, bytesSent } = own.traffic; // With the Close.
      assert.deepEqual([evidence.bytesReceived, evidence.bytesSent], [bytesReceived, bytesSent]);
    });
  }

  test("J2: traffic ends as the evidence says, also with messages that did not leave", async () => {
    await using server = await serve((peer) => peer.closed, { host: "127.0.0.1" });
    const connection = await connectInWorker(server.url);
    for (let i = 0; i < 100; i++) connection.send(new Uint8Array(100_000)).catch(() => undefined);
    connection.terminate();
    const { evidence } = await connection.closed;
    assert.deepEqual({ ...evidence, ...connection.traffic }, evidence);
    assert.equal(Object.keys(connection.traffic).length, 4);
  });

  test("E4: a main thread that consumes nothing stops the worker from reading", async () => {
    let sent = 0;
    await using server = await serve(
      async (connection) => {
        for (; sent < 20_000; sent++) await connection.send(new Uint8Array(4096));
      },
      { host: "127.0.0.1" },
    );
    const connection = await connectInWorker(server.url, { maxQueue: 16 });
    let standsSince = performance.now();
    let before = -1;
    await eventually(
      () => {
        if (sent !== before) standsSince = performance.now();
        before = sent;
        return sent > 0 && performance.now() - standsSince > 500;
      },
      "the server to stand still",
      30_000,
    );
    assert(sent < 10_000, `${sent} messages of 4 KiB`);
    let received = 0;
    const info = await connection.forEach(() => {
      received++;
    });
    assert.deepEqual([received, info.code], [20_000, 1000]);
  });

  test("D8: a slow reader gets every message before the peer's Close while its connection closes", async () => {
    const COUNT = 5_000;
    await using server = await serve(
      async (connection) => {
        for (let n = 0; n < COUNT; n++) await connection.send(String(n).padEnd(1_000));
        await connection.closed;
      },
      { host: "127.0.0.1" },
    );
    const connection = await connectInWorker(server.url, { maxQueue: 16, closeTimeout: 60_000 });
    const seen: number[] = [];
    for await (const message of connection) {
      if (seen.push(Number(message)) === 100) void connection.close();
      if (seen.length % 100 === 0) await setTimeout(1);
    }
    // The server may have stopped sending at our Close.
    const { ok, evidence } = await connection.closed;
    assert.deepEqual([ok, evidence.messagesReceived], [true, seen.length]);
    assert.deepEqual(
      seen,
      Array.from(seen, (_, n) => n),
    );
  });

  test("E5: send() waits while a peer reads nothing, an abort cancels the message, and an end rejects it", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.acceptUpgrade();
      peer.stopReading();
    });
    const connection = await connectInWorker(server.url(), { pingTimeout: null });
    const chunk = new Uint8Array(1024 * 1024);
    let sends = 0;
    const filling = (async () => {
      for (;;) {
        await connection.send(chunk);
        sends++;
      }
    })();
    filling.catch(() => undefined);
    const aborter = new AbortController();
    await eventually(() => connection.bufferedAmount > 64 * 1024, "a full buffer");
    const aborted = connection.send("late", { signal: aborter.signal });
    aborter.abort(new Error("changed my mind"));
    await assert.rejects(aborted, /changed my mind/);
    assert(sends < 64, `${sends} MiB`);
    connection.terminate();
    await assert.rejects(filling, ConnectionClosedError);
    assert.equal((await connection.closed).cause, "aborted");
  });

  test("E3: recvStream() yields a large message in pieces, and the next one whole", async () => {
    await using server = await echo();
    await using connection = await connectInWorker(server.url);
    const stream = connection.recvStream();
    const first = stream.next(); // Bytes that arrive before the worker receives the request are a single piece.
    await connection.ping();
    await connection.send("x".repeat(500_000));
    let length = (await first).value?.length ?? 0;
    let pieces = 1;
    for await (const piece of stream) {
      length += piece.length;
      pieces++;
    }
    await connection.send("next");
    assert.deepEqual([length, pieces > 1, await connection.recv()], [500_000, true, "next"]);
  });

  test("C2: a ping that is too slow, and one with the payload of another, reject with the errors of ping()", async () => {
    await using server = await startEchoThread(true);
    const connection = await connectInWorker(server.url, { pingTimeout: null });
    const slow = connection.ping("again", { timeout: 50 });
    await assert.rejects(connection.ping("again"), { name: "ConcurrencyError" });
    await assert.rejects(slow, (error) => error instanceof TooSlowError && error.timeout === 50);
    const waiting = connection.ping();
    connection.terminate();
    await assert.rejects(waiting, ConnectionClosedError);
    await connection.closed;
  });

  test("B4: errors of opening keep their class and properties", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.write("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nbusy");
    });
    const error: unknown = await connectInWorker(server.url()).catch((reason: unknown) => reason);
    assert(error instanceof InvalidStatusError, String(error));
    const { status, retryAfter, body, headers } = error;
    assert.deepEqual(
      [status, retryAfter, new TextDecoder().decode(body), headers.get("Retry-After")],
      [429, 3000, "busy", "3"],
    );
  });

  test("B1: openTimeout covers the start of the worker, and names the phase", async () => {
    await using server = await RawServer.start({}, () => undefined);
    let phase: string | null = null;
    // On a busy machine, the worker itself may need longer to start.
    for (let openTimeout = 400; phase !== "upgrade"; openTimeout *= 2) {
      assert(openTimeout < 60_000, `The last phase was ${phase}`);
      const error: unknown = await connectInWorker(server.url(), { openTimeout }).catch((e: unknown) => e);
      assert(error instanceof OpenTimeoutError, String(error));
      phase = error.phase;
      if (phase !== "upgrade") continue;
      const limit = new RegExp(`to be open within ${openTimeout} ms, `);
      assert.match(error.message, limit);
      assert.match(error.stack ?? "", limit);
    }
  });

  test("B1: an abort cancels opening at once, with its reason", async () => {
    await using server = await RawServer.start({}, () => undefined);
    const aborter = new AbortController();
    const opening = connectInWorker(server.url(), { signal: aborter.signal });
    await server.nextPeer();
    aborter.abort(new Error("never mind"));
    await assert.rejects(opening, /never mind/);
  });

  test("B5: what cannot be sent to a worker is refused by name", async () => {
    const options = { tls: { checkServerIdentity: () => undefined } };
    await assert.rejects(connectInWorker("ws://127.0.0.1:1", options), (error) => {
      assert(error instanceof InvalidArgumentError);
      assert.match(
        error.message,
        /^Expected `tls\.checkServerIdentity` to be plain data .* got a function\.$/,
      );
      return true;
    });
  });

  test("D7: a worker that dies ends its connections, with that reason", async () => {
    await using server = await echo();
    const worker = new Worker(new URL(import.meta.resolve("holdfast/worker")));
    const connection = await connectInWorker(server.url, { worker });
    await worker.terminate();
    const info = await withTimeout(connection.closed, 30_000, "the end");
    assert.deepEqual(
      [info.cause, info.error instanceof WorkerError, connection.state],
      ["aborted", true, "closed"],
    );
    await assert.rejects(connection.send("late"), ConnectionClosedError);
  });

  test("D7: a script that cannot be loaded is an error of opening", async () => {
    const worker = new Worker(new URL("no-such-script.js", import.meta.url));
    await assert.rejects(connectInWorker("ws://127.0.0.1:1", { worker }), WorkerError);
  });

  test("C12: a flood of pings does not fill a main thread that is blocked", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.acceptUpgrade();
      for (let count = 0; count < 2000; count++) peer.sendPing(String(count));
      peer.sendText("done");
    });
    const connection = await connectInWorker(server.url(), { pingTimeout: null });
    const payloads: string[] = [];
    connection.on("ping", ({ payload }) => payloads.push(new TextDecoder().decode(payload)));
    assert.equal(await connection.recv(), "done");
    await eventually(() => payloads.at(-1) === "1999", "the newest ping");
    connection.terminate();
    await connection.closed;
    assert(payloads.length < 2000, `${payloads.length} pings told`);
  });
});
