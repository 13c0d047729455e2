// `toNodeStream()` over real sockets.

import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough, Readable, Transform, Writable, type Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { describe, test } from "node:test";
import { toNodeStream } from "../../build/index.js";
import { eventually, withTimeout } from "holdfast-testkit";
import { openPair, type Pair } from "./open-pair.js";

/** 4 MiB in uneven chunks. */
function* chunks(): Generator<Buffer, void> {
  for (let n = 0; n < 256; n++) yield Buffer.alloc(16 * 1024 + (n % 2 === 0 ? 7 : -7), n);
}

describe("Node streams", () => {
  test(
    "E5, E4: pipeline() carries bytes through both ends, and an echo, unchanged",
    { timeout: 60_000 },
    async () => {
      const { local, peer } = await openPair();
      const stream = toNodeStream(peer);
      const echoing = pipeline(stream, stream);
      const received: Buffer[] = [];
      const sent = Buffer.concat([...chunks()]);
      let size = 0;
      const client = toNodeStream(local);
      const sink = new Writable({
        write(chunk: Buffer, _encoding, callback) {
          received.push(chunk);
          size += chunk.length;
          if (size === sent.length) client.end();
          callback();
        },
      });
      const source = Readable.from(chunks());
      source.pipe(client, { end: false });
      await pipeline(client, sink);
      await echoing;
      assert.ok(Buffer.concat(received).equals(sent));
      assert.deepEqual([(await local.closed).code, (await peer.closed).ok], [1000, true]);
    },
  );

  test("D4: end() closes with 1000 after all chunks; what the peer answered before its Close is read; then end, finish and close", async () => {
    const { local, peer } = await openPair();
    const answering = peer.forEach((message) => peer.send(`${Buffer.from(message).toString()}!`));
    const stream = toNodeStream(local);
    const events: string[] = [];
    for (const name of ["end", "finish", "close"]) stream.on(name, () => events.push(name));
    stream.write("a");
    stream.end("b");
    assert.equal(await text(stream), "a!b!");
    assert.equal((await answering).received?.code, 1000);
    await eventually(() => events.includes("close"), "the end");
    assert.deepEqual([events.slice(0, 2).sort(), events[2]], [["end", "finish"], "close"]);
  });

  test("E1: bytes by default: strings are sent as bytes, and text is read as bytes", async () => {
    const { local, peer } = await openPair();
    const stream = toNodeStream(local);
    stream.write("€");
    assert.deepEqual(await peer.recv(), new Uint8Array(Buffer.from("€")));
    await peer.send("€");
    await peer.send(Uint8Array.of(1));
    void peer.close();
    assert.deepEqual(await buffer(stream), Buffer.from([...Buffer.from("€"), 1]));
  });

  test("E1: in object mode each chunk is a message: a string for text, a Buffer for bytes, empty ones too", async () => {
    const { local, peer } = await openPair();
    const stream = toNodeStream(local, { objectMode: true });
    for (const chunk of ["€", Buffer.of(1, 2), ""]) stream.write(chunk);
    assert.deepEqual(
      [await peer.recv(), await peer.recv(), await peer.recv()],
      ["€", Uint8Array.of(1, 2), ""],
    );
    for (const message of ["one", Uint8Array.of(3), ""]) await peer.send(message);
    void peer.close();
    assert.deepEqual(await stream.toArray(), ["one", Buffer.of(3), ""]);
  });

  test('E1: with text: "bytes", text is a string in object mode, and its bytes otherwise', async () => {
    for (const [objectMode, expected] of [
      [true, ["€", Buffer.of(3)]],
      [false, [Buffer.from([...Buffer.from("€"), 3])]],
    ] as const) {
      const { local, peer } = await openPair({ text: "bytes" });
      await peer.send("€");
      await peer.send(Uint8Array.of(3));
      void peer.close();
      const read: unknown[] = await toNodeStream(local, { objectMode }).toArray();
      assert.deepEqual(objectMode ? read : [Buffer.concat(read as Buffer[])], expected);
    }
  });

  test("E1: each direction has its own mode", async () => {
    const { local, peer } = await openPair();
    const stream = toNodeStream(local, { readableObjectMode: true });
    stream.write("bytes");
    assert.deepEqual(await peer.recv(), new Uint8Array(Buffer.from("bytes")));
    await peer.send("text");
    void peer.close();
    assert.deepEqual(await stream.toArray(), ["text"]);
  });

  test("D6: a source that fails in pipeline() destroys the stream and closes with 1011", async () => {
    const { local, peer } = await openPair();
    const failure = new Error("the disk is gone");
    const source = Readable.from(
      (async function* () {
        yield "part";
        throw failure;
      })(),
    );
    const ended = peer.forEach(() => undefined);
    await assert.rejects(pipeline(source, toNodeStream(local)), failure);
    assert.equal((await ended).received?.code, 1011);
  });

  test("D6: a sink that fails in pipeline() closes with 1011", async () => {
    const { local, peer } = await openPair();
    const failure = new Error("the disk is full");
    const sink = new Writable({ write: (_chunk, _encoding, callback) => callback(failure) });
    await peer.send("something");
    const ended = peer.forEach(() => undefined);
    await assert.rejects(pipeline(toNodeStream(local), sink), failure);
    assert.equal((await ended).received?.code, 1011);
  });

  test("D6: destroy() without an error closes with 1000, and a signal destroys it", async () => {
    const first = await openPair();
    const ended = first.peer.forEach(() => undefined);
    toNodeStream(first.local).destroy();
    assert.equal((await ended).received?.code, 1000);

    const second = await openPair();
    const stop = new AbortController();
    const stream = toNodeStream(second.local, { signal: stop.signal });
    stream.resume();
    const failed = once(stream, "error");
    const aborted = second.peer.forEach(() => undefined);
    stop.abort();
    assert.equal(((await failed)[0] as Error).name, "AbortError");
    assert.equal((await aborted).received?.code, 1011);
  });

  test("D6: a signal that aborted before closes with 1011, and the stream fails with its reason", async () => {
    const { local, peer } = await openPair();
    const stream = toNodeStream(local, { signal: AbortSignal.abort() });
    const failed = once(stream, "error");
    const aborted = peer.forEach(() => undefined);
    assert.equal(((await failed)[0] as Error).name, "AbortError");
    assert.equal((await aborted).received?.code, 1011);
  });

  test("D8: a cut: the messages before it are read, then the stream is destroyed with the error", async () => {
    const { local, peer } = await openPair();
    const stream = toNodeStream(local);
    await peer.send("before");
    await eventually(() => local.traffic.messagesReceived === 1, "the message");
    peer.terminate();
    await eventually(() => local.state === "closed", "the end");
    const seen: string[] = [];
    await assert.rejects(
      (async () => {
        for await (const chunk of stream) seen.push(String(chunk));
      })(),
      { name: "ConnectionClosedError" },
    );
    assert.deepEqual(seen, ["before"]);
  });

  test("D8: a cut while nobody reads or writes, and one while something is written, destroy the stream", async () => {
    for (const isWriting of [false, true]) {
      const { local, peer } = await openPair();
      const stream = toNodeStream(local);
      const failed = once(stream, "error");
      peer.terminate();
      if (isWriting) stream.write("anything");
      const [error] = (await withTimeout(failed, 30_000, "the error")) as [Error];
      assert.equal(error.name, "ConnectionClosedError");
      assert.equal(stream.destroyed, true);
    }
  });

  for (const [end, name, begin] of [
    ["closes with 1000", "ConnectionClosedOK", ({ peer }) => void peer.close()],
    ["closes with 1001", "ConnectionClosedOK", ({ peer }) => void peer.close(1001)],
    ["is cut off", "ConnectionClosedError", ({ peer }) => peer.terminate()],
    ["is closed by us", "ConnectionClosedOK", ({ local, peer }) => (peer.discard(), void local.close())],
  ] as const satisfies readonly (readonly [string, string, (pair: Pair) => void])[]) {
    test(`D8: pipeline() from an idle source fails when the peer ${end}, and when it did so before`, async () => {
      const pair = await openPair();
      const stream = toNodeStream(pair.local);
      await assertFails(stream, name, () => begin(pair));
      // Another stream of the same connection, which has ended.
      await assertFails(toNodeStream(pair.local), name, () => undefined);

      const other = await openPair();
      const unused = toNodeStream(other.local);
      unused.on("error", () => undefined);
      begin(other);
      await other.local.closed;
      // `pipeline()` rejects a destroyed stream with Node's own error.
      await eventually(() => name === "ConnectionClosedOK" || unused.destroyed, "the end of the stream");
      if (!unused.destroyed) await assertFails(unused, name, () => undefined);
    });
  }

  /** A pipeline from an idle source to `stream` fails with this error, and destroys the source. */
  async function assertFails(stream: Duplex, name: string, begin: () => void): Promise<void> {
    const source = new Readable({ read: () => undefined });
    const piping = assert.rejects(pipeline(source, stream), { name });
    begin();
    await withTimeout(piping, 30_000, "the pipeline");
    assert.equal(source.destroyed, true);
  }

  test("D8: an idle source that is piped into a stream with unread messages does not keep it open", async () => {
    const { local, peer } = await openPair();
    const stream = toNodeStream(local);
    const piping = assert.rejects(pipeline(new Readable({ read: () => undefined }), stream), {
      name: "ConnectionClosedOK",
    });
    await peer.send("unread");
    void peer.close();
    await withTimeout(piping, 30_000, "the pipeline");
  });

  test("D4: a pipeline through the stream ends well when the peer closes, and one from an idle source fails", async () => {
    const through = await openPair();
    const stream = toNodeStream(through.local);
    const [echo, other] = [pipeline(stream, new PassThrough(), stream), await openPair()];
    void through.peer.close();
    await withTimeout(echo, 30_000, "the echo");

    const read = toNodeStream(other.local);
    const piping = assert.rejects(pipeline(new Readable({ read: () => undefined }), read), {
      code: "ERR_STREAM_PREMATURE_CLOSE",
    });
    const reading = text(read);
    await other.peer.send("last");
    void other.peer.close();
    assert.equal(await withTimeout(reading, 30_000, "the end"), "last");
    await withTimeout(piping, 30_000, "the pipeline");
  });

  test("E4: backpressure: an unread stream makes the peer wait, and reading it lets the peer go on", async () => {
    const { local, peer } = await openPair({ maxQueue: 4 });
    const stream = toNodeStream(local, { objectMode: true, highWaterMark: 2 });
    const paused = new Promise<void>((resolve) => void local.on("paused", () => resolve()));
    for (let n = 0; n < 100; n++) void peer.send(String(n));
    void peer.close();
    await withTimeout(paused, 30_000, "the pause");
    assert.deepEqual(
      await stream.toArray(),
      Array.from({ length: 100 }, (_, n) => String(n)),
    );
  });

  test("E4: with `readable: false` the peer's messages are dropped, and its end ends the stream", async () => {
    const { local, peer } = await openPair({ maxQueue: 1 });
    const stream = toNodeStream(local, { readable: false });
    for (let n = 0; n < 100; n++) await peer.send(String(n));
    stream.write("x");
    assert.deepEqual(await peer.recv(), new Uint8Array(Buffer.from("x")));
    const events: string[] = [];
    for (const name of ["error", "end", "finish", "close"]) stream.on(name, () => events.push(name));
    void peer.close();
    await eventually(() => events.includes("close"), "the end");
    assert.deepEqual(events, ["finish", "close"]);
  });

  test("D4: with `readable: false`, a stream that is made after a good end, or written to later, fails for nobody", async () => {
    const { local, peer } = await openPair();
    const before = toNodeStream(local, { readable: false });
    void peer.close();
    await local.closed;
    const after = toNodeStream(local, { readable: false });
    for (const stream of [before, after]) {
      stream.on("error", (error) => assert.fail(error));
      await eventually(() => stream.closed, "the end");
      assert.equal(stream.writableFinished, true);
      const error = await new Promise((resolve) => stream.write("late", resolve));
      assert.ok(error instanceof Error);
    }
  });

  test("D8: with `readable: false`, a bad end destroys the stream with the error", async () => {
    const { local, peer } = await openPair();
    const failed = once(toNodeStream(local, { readable: false }), "error");
    peer.terminate();
    assert.equal(((await failed)[0] as Error).name, "ConnectionClosedError");
  });

  test("E5: a pipeline through a transform, from one connection to another", async () => {
    const [from, to] = [await openPair(), await openPair()];
    const upper = new Transform({
      objectMode: true,
      transform: (chunk, _encoding, callback) => callback(null, String(chunk).toUpperCase()),
    });
    const moving = pipeline(
      toNodeStream(from.local, { objectMode: true }),
      upper,
      toNodeStream(to.local, { objectMode: true }),
    );
    await from.peer.send("hello");
    assert.equal(await to.peer.recv(), "HELLO");
    const ended = to.peer.forEach(() => undefined);
    void from.peer.close();
    await moving;
    assert.equal((await ended).received?.code, 1000);
  });

  test("G9: unknown options, invalid options, and anything but a connection are refused", async () => {
    const { local } = await openPair();
    // @ts-expect-error -- misspelt
    assert.throws(() => toNodeStream(local, { objectmode: true }), /did you mean `objectMode`/i);
    // @ts-expect-error -- not a boolean
    assert.throws(() => toNodeStream(local, { objectMode: 1 }), { name: "InvalidArgumentError" });
    assert.throws(() => toNodeStream(local, { highWaterMark: -1 }), { name: "InvalidArgumentError" });
    // @ts-expect-error -- not a connection
    assert.throws(() => toNodeStream({}), { name: "InvalidArgumentError" });
  });
});
