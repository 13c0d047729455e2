// `toWebStreams()` over real sockets.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  connect,
  toWebStreams,
  type ConnectOptions,
  type Message,
  type WebStreams,
} from "../../build/index.js";
import { eventually, RawServer, withTimeout } from "holdfast-testkit";
import { openPair, QUIET, type Pair } from "./open-pair.js";

/** The local end also as streams. */
async function openStreams(options: ConnectOptions = {}): Promise<Pair & WebStreams> {
  const pair = await openPair(options);
  return { ...pair, ...toWebStreams(pair.local) };
}

async function collect<Chunk>(stream: ReadableStream<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

describe("Web streams", () => {
  test("E5, E7: each message is a chunk, in both directions, text or bytes, until the peer closes", async () => {
    const { peer, readable, writable } = await openStreams();
    const writer = writable.getWriter();
    for (const chunk of ["text", Uint8Array.of(1, 2), new Uint8Array([3]).buffer, ""])
      await writer.write(chunk);
    assert.deepEqual(
      [await peer.recv(), await peer.recv(), await peer.recv(), await peer.recv()],
      ["text", Uint8Array.of(1, 2), Uint8Array.of(3), ""],
    );
    await peer.send("answer");
    await peer.send(Uint8Array.of(4));
    void peer.close();
    assert.deepEqual(await collect(readable), ["answer", Uint8Array.of(4)]);
    await assert.rejects(writer.write("late"), { name: "ConnectionClosedOK" });
  });

  test("E5: an echo by pipeTo() ends well when the client closes", async () => {
    const { local, peer } = await openStreams();
    const { readable, writable } = toWebStreams(peer);
    const piping = readable.pipeTo(writable);
    await local.send("hello");
    assert.equal(await local.recv(), "hello");
    const [info] = await Promise.all([local.close(), piping]);
    assert.deepEqual([info.ok, info.code], [true, 1000]);
  });

  test("D4: closing the writer closes with 1000 after all chunks, and what the peer sent before its Close is read", async () => {
    const { local, peer, readable, writable } = await openStreams();
    const answering = peer.forEach((message) => peer.send(`${String(message)}!`));
    const reading = collect(readable);
    const writer = writable.getWriter();
    void writer.write("a");
    void writer.write("b");
    await writer.close();
    assert.deepEqual(await reading, ["a!", "b!"]);
    assert.equal((await answering).received?.code, 1000);
    assert.equal(local.state, "closed");
  });

  test("D4: closing a writer whose peer ends badly rejects", async () => {
    const { peer, readable, writable } = await openStreams();
    const closing = writable.getWriter().close();
    closing.catch(() => undefined);
    peer.terminate();
    await assert.rejects(closing, { name: "ConnectionClosedError" });
    await assert.rejects(collect(readable), { name: "ConnectionClosedError" });
  });

  test("D6: a source that fails closes with 1011: the peer does not take a part for the whole", async () => {
    const { peer, writable } = await openStreams();
    const failure = new Error("the disk is gone");
    const source = new ReadableStream<string>({
      pull(controller) {
        if (controller.desiredSize === null) return;
        controller.enqueue("part");
        controller.error(failure);
      },
    });
    await assert.rejects(source.pipeTo(writable), failure);
    assert.equal((await peer.forEach(() => undefined)).received?.code, 1011);
  });

  test("D6: an abort of pipeTo() closes with 1011 and cancels the source", async () => {
    const { peer, writable } = await openStreams();
    const stop = new AbortController();
    const cancelled: unknown[] = [];
    const source = new ReadableStream<string>({
      async pull(controller) {
        await new Promise((resolve) => setImmediate(resolve));
        controller.enqueue("x");
      },
      cancel: (reason) => void cancelled.push(reason),
    });
    const piping = source.pipeTo(writable, { signal: stop.signal });
    await peer.recv();
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(piping, reason);
    assert.equal((await peer.forEach(() => undefined)).received?.code, 1011);
    assert.deepEqual(cancelled, [reason]);
  });

  test("D6: cancelling the reader closes with 1000, also while a read waits", async () => {
    const { peer, readable } = await openStreams();
    const reader = readable.getReader();
    const waiting = reader.read();
    const ended = peer.forEach(() => undefined);
    await reader.cancel("enough");
    assert.deepEqual(await waiting, { value: undefined, done: true });
    assert.equal((await ended).received?.code, 1000);
  });

  test("D8: a cut: the messages before it are read, then both streams fail", async () => {
    const { local, peer, readable, writable } = await openStreams();
    const writer = writable.getWriter();
    await peer.send("before");
    await eventually(() => local.traffic.messagesReceived === 1, "the message");
    peer.terminate();
    await assert.rejects(withTimeout(writer.closed, 30_000, "the writer's end"), {
      name: "ConnectionClosedError",
    });
    const reader = readable.getReader();
    assert.deepEqual(await reader.read(), { value: "before", done: false });
    await assert.rejects(reader.read(), { name: "ConnectionClosedError" });
  });

  test("D4: pipeTo() from an idle source fails when the peer closes, also if it did so before, and cancels the source", async () => {
    for (const isBefore of [false, true]) {
      const { local, peer } = await openPair();
      const cancelled: unknown[] = [];
      const source = new ReadableStream({ cancel: (reason) => void cancelled.push(reason) });
      if (isBefore) {
        void peer.close();
        await local.closed;
      }
      const piping = source.pipeTo(toWebStreams(local).writable);
      if (!isBefore) void peer.close();
      await assert.rejects(withTimeout(piping, 30_000, "the pipe"), { name: "ConnectionClosedOK" });
      assert.deepEqual(cancelled, [local.signal.reason]);
    }
  });

  test("D4: an echo through a transform ends well when the peer closes, and so does a reader", async () => {
    const { peer, readable, writable } = await openStreams();
    const echo = readable.pipeThrough(new TransformStream<Message, Message>()).pipeTo(writable);
    await peer.send("hello");
    assert.equal(await peer.recv(), "hello");
    void peer.close();
    await withTimeout(echo, 30_000, "the echo");
    const other = await openStreams();
    const reading = other.readable.pipeTo(new WritableStream());
    void other.peer.close();
    await withTimeout(reading, 30_000, "the reader");
  });

  test("E4: backpressure from the reader: nothing is taken before it is requested", async () => {
    const { local, peer, readable } = await openStreams({ maxQueue: 4 });
    const paused = new Promise<void>((resolve) => void local.on("paused", () => resolve()));
    for (let n = 0; n < 100; n++) void peer.send(String(n));
    await withTimeout(paused, 30_000, "the pause");
    assert.equal(readable.locked, false);
    const reader = readable.getReader();
    for (let n = 0; n < 100; n++) assert.deepEqual(await reader.read(), { value: String(n), done: false });
  });

  test("E5: backpressure to the writer: `ready` waits while the peer does not read", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.acceptUpgrade();
      peer.stopReading();
    });
    const connection = await connect(server.url(), QUIET);
    const { writable } = toWebStreams(connection);
    const writer = writable.getWriter();
    writer.closed.catch(() => undefined);
    const chunk = new Uint8Array(1024 * 1024);
    let written = 0;
    let isReady = true;
    // The kernels take some megabytes.
    while (isReady && written < 64) {
      void writer.write(chunk).catch(() => undefined);
      written++;
      isReady = await Promise.race([
        writer.ready.then(() => true),
        new Promise<boolean>((resolve) => setTimeout(resolve, 500, false)),
      ]);
    }
    assert.equal(isReady, false);
    connection.terminate();
    await assert.rejects(writer.ready, { name: "ConnectionClosedError" });
  });

  test("G9: anything but a connection is refused", () => {
    // @ts-expect-error -- not a connection
    assert.throws(() => toWebStreams({}), { name: "InvalidArgumentError" });
  });
});
