// A stream or an iterable that is sent is ended, however the send fails.

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { eventually } from "holdfast-testkit";
import { Client } from "../../../build/index.js";
import { Harness } from "../harness.js";

/** A source that waits for data, and whether it was ended. */
interface Source {
  readonly data: Iterable<string> | AsyncIterable<string>;
  readonly isEnded: () => boolean;
}

/** Each kind of source, with `pieces` of data; after them it waits. */
const KINDS: Readonly<Record<string, (pieces: readonly string[]) => Source>> = {
  "a stream of Node": (pieces) => {
    const left = [...pieces];
    const data = new Readable({ objectMode: true, read: () => left.length > 0 && data.push(left.shift()) });
    return { data, isEnded: () => data.destroyed };
  },
  "a stream of the standard": (pieces) => {
    let isEnded = false;
    const data = new ReadableStream<string>({
      start: (controller) => pieces.forEach((piece) => controller.enqueue(piece)),
      cancel: () => void (isEnded = true),
    });
    return { data, isEnded: () => isEnded };
  },
  "an iterator": (pieces) => {
    const left = [...pieces];
    let isEnded = false;
    const data = {
      [Symbol.asyncIterator]: () => data,
      next: (): Promise<IteratorResult<string>> => {
        const value = left.shift();
        return value === undefined ? new Promise(() => undefined) : Promise.resolve({ value, done: false });
      },
      return: (): Promise<IteratorResult<string>> => {
        isEnded = true;
        return Promise.resolve({ value: undefined, done: true });
      },
    };
    return { data, isEnded: () => isEnded };
  },
};

/** Each way in which a send fails. Each begins the send of the source, and makes it fail. */
const FAILURES: Readonly<Record<string, (h: Harness, { data }: Source) => Promise<unknown>>> = {
  "after the end": (h, { data }) => {
    h.transport.fail("ECONNRESET");
    return h.connection.closed.then(() => h.connection.send(data));
  },
  "while the connection is closing": (h, { data }) => {
    void h.connection.close();
    const sending = h.connection.send(data);
    h.transport.fail("ECONNRESET");
    return sending;
  },
  "with a signal that has aborted": (h, { data }) => h.connection.send(data, { signal: AbortSignal.abort() }),
  // @ts-expect-error -- not a boolean
  "with an invalid option": (h, { data }) => h.connection.send(data, { compress: 1 }),
  "with a receipt but without a session": (h, { data }) => h.connection.send(data, { until: "delivered" }),
  "aborted while it waits for its turn": (h, { data }) => {
    const aborter = new AbortController();
    void h.connection.send(KINDS["an iterator"]?.([]).data ?? "");
    const sending = h.connection.send(data, { signal: aborter.signal });
    aborter.abort();
    return sending;
  },
  "when the connection is lost while it waits for its turn": (h, { data }) => {
    void h.connection.send(KINDS["an iterator"]?.([]).data ?? "");
    const sending = h.connection.send(data);
    h.transport.fail("ECONNRESET");
    return sending;
  },
  "aborted while the source is idle": (h, { data }) => {
    const aborter = new AbortController();
    const sending = h.connection.send(data, { signal: aborter.signal });
    void h.clock.settle().then(() => aborter.abort());
    return sending;
  },
  "when the connection is lost while the source is idle": (h, { data }) => {
    const sending = h.connection.send(data);
    void h.clock.settle().then(() => h.transport.fail("ECONNRESET"));
    return sending;
  },
};

describe("The source of a fragmented message", () => {
  for (const [kind, create] of Object.entries(KINDS)) {
    for (const [when, fail] of Object.entries(FAILURES)) {
      test(`G9, E6: ${kind} is ended when the send fails ${when}`, async () => {
        const h = new Harness();
        const source = create([]);
        const sending = assert.rejects(fail(h, source));
        // The failure may follow in the first of them, and the end of the connection in the second.
        await h.clock.advanceAsync(100);
        await h.clock.advanceAsync(100);
        await sending;
        await eventually(source.isEnded, "the end of the source");
      });
    }

    test(`E6: ${kind} is ended when the connection is lost between its pieces`, async () => {
      const h = new Harness();
      const source = create(["a", "b"]);
      const sending = assert.rejects(h.connection.send(source.data), { name: "ConnectionClosedError" });
      await h.clock.advanceAsync(100);
      h.transport.fail("ECONNRESET");
      await h.clock.advanceAsync(100);
      await sending;
      await eventually(source.isEnded, "the end of the source");
    });

    test(`A1: ${kind} is ended by a client that is not connected`, async () => {
      const source = create([]);
      await assert.rejects(new Client("ws://127.0.0.1:9").send(source.data), { name: "InvalidStateError" });
      await eventually(source.isEnded, "the end of the source");
    });
  }

  test("E6: a source that has waited for its turn is ended once when it fails", async () => {
    const h = new Harness();
    let ends = 0;
    const data = {
      [Symbol.iterator]: () => data,
      next: () => ({ value: 5 as unknown as string, done: false }), // Not a piece of a message.
      return: () => ({ value: undefined, done: true, ends: ++ends }) as const,
    };
    const first = h.connection.send(["a", "b"]);
    const sending = assert.rejects(h.connection.send(data), { name: "InvalidArgumentError" });
    await first;
    await sending;
    await h.clock.settle();
    assert.equal(ends, 1);
  });

  test("E6: a generator that was not begun is ended, and data of another kind is left as it is", async () => {
    const h = new Harness();
    const signal = AbortSignal.abort();
    const generator = (function* () {
      yield "a";
    })();
    await assert.rejects(h.connection.send(generator, { signal }));
    assert.deepEqual(generator.next(), { value: undefined, done: true });
    const other = { destroy: () => assert.fail("destroyed") };
    for (const data of [other, null, 5, new Uint8Array(1), "text", ["a"], new Set(["a"])])
      await assert.rejects(h.connection.send(data as string, { signal }));
  });

  test("E7: a stream of the standard is sent whole", async () => {
    const h = new Harness();
    const pieces = ["a", "b"];
    const data = new ReadableStream<string>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
    await h.connection.send(data);
    h.clock.advance(0);
    assert.equal(Buffer.concat(h.sentFrames().map(({ payload }) => payload)).toString(), "ab");
  });
});
