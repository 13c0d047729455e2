import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { LiveCalls } from "../../../build/protocol/deflate/live-calls.js";
import { PlaintextWindow } from "../../../build/protocol/deflate/plaintext-window.js";
import { documentedCalls } from "../../../build/protocol/deflate/zlib-calls.js";
import type { NativeZlib } from "../../../build/protocol/deflate/zlib-handle.js";
import { contentOf, type Kind } from "./contents.js";

const zlib = { createDeflateRaw, createInflateRaw };
const LAST_BLOCK = Buffer.of(0x01, 0x00, 0x00, 0xff, 0xff);

const content = fc
  .tuple(
    fc.constantFrom<Kind>("text", "noise", "zeros"),
    fc.oneof(fc.nat(300), fc.nat(5000), fc.constant(40_000)),
    fc.nat(3),
  )
  .map(([kind, size, seed]) => contentOf(kind, size, seed));

/** An event of one of the connections. */
const step = fc.record({
  connection: fc.nat(5),
  action: fc.constantFrom("send", "send", "send", "skip", "replace", "forget", "share", "invalid"),
  content,
});

/** A connection, and the window of its peer. */
interface Sequence {
  readonly windowBits: number;
  readonly window: PlaintextWindow;
  readonly peer: PlaintextWindow;
}

test("E8: kept streams of more connections than there are handles work as the documented calls do", () => {
  const levels = fc.record({
    level: fc.integer({ min: 1, max: 9 }),
    memLevel: fc.integer({ min: 1, max: 9 }),
  });
  const runs = fc.array(step, { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), levels, runs, (maxHandles, level, steps) => {
      const live = new LiveCalls(zlib, maxHandles);
      const sequences = Array.from({ length: 6 }, (_, index): Sequence => {
        const windowBits = [8, 9, 12, 15][index % 4];
        return { windowBits, window: new PlaintextWindow(windowBits), peer: new PlaintextWindow(windowBits) };
      });
      for (const { connection, action, content: message } of steps) {
        const { windowBits, window, peer } = sequences[connection];
        const inflateOptions = { windowBits, dictionary: peer.dictionary, maxSize: message.length + 1 };
        if (action === "forget") live.forget(window);
        if (action === "invalid") assertSameErrors(live, inflateOptions);
        if (action === "forget" || action === "invalid") continue;
        const isShared = action === "share";
        const deflated = live.deflate(message, { ...level, windowBits, window: isShared ? null : window });
        if (action === "skip" || action === "replace") {
          // The message is not sent. Another one may take its place in the window.
          live.forget(window);
          if (action === "replace") for (const each of [window, peer]) each.push(contentOf("text", 99));
          continue;
        }
        if (isShared) live.forget(window);
        const outcomes = [live, documentedCalls].map((calls) =>
          calls.inflate(deflated, LAST_BLOCK, inflateOptions),
        );
        assert(outcomes[0].buffer.equals(message));
        assert.deepEqual(outcomes[0], outcomes[1]);
        if (message.length > 1) {
          const options = { ...inflateOptions, maxSize: message.length - 1 };
          assert.throws(() => live.inflate(deflated, LAST_BLOCK, options), { code: "ERR_BUFFER_TOO_LARGE" });
        }
        for (const each of [window, peer]) each.push(message);
        assert(live.size <= maxHandles);
      }
      live.close();
      assert.equal(live.size, 0);
    }),
    { numRuns: 150 },
  );
});

function assertSameErrors(live: LiveCalls, options: Parameters<LiveCalls["inflate"]>[2]): void {
  // A block of an invalid type, and a reference to 32 KiB before the start.
  for (const hex of ["ff", "63 00 82 a7 02 00"]) {
    const [own, expected] = [live, documentedCalls].map((calls) => {
      try {
        return calls.inflate(Buffer.from(hex.replaceAll(" ", ""), "hex"), LAST_BLOCK, options);
      } catch (error) {
        return (error as { readonly code: unknown }).code;
      }
    });
    assert.deepEqual(own, expected);
  }
}

test("E8: without a window the bytes are those of the documented calls, whatever came before", () => {
  const live = new LiveCalls(zlib);
  for (const kind of ["text", "zeros", "noise", "text"] as const) {
    for (const size of [0, 1, 300, 5000, 32_768]) {
      const options = { windowBits: 12, level: 6, memLevel: 5, window: null };
      const message = contentOf(kind, size);
      assert.deepEqual(live.deflate(message, options), documentedCalls.deflate(message, options));
    }
  }
  live.close();
});

test("E8: a stream inflates nothing of another connection's messages, although all share a handle", () => {
  const live = new LiveCalls(zlib);
  const secret = Buffer.from("A secret of another connection");
  const options = { dictionary: secret, finishFlush: constants.Z_SYNC_FLUSH };
  const reference = deflateRawSync(secret, options);
  const call = (dictionary: Uint8Array | undefined) => () =>
    live.inflate(reference, LAST_BLOCK, { windowBits: 15, dictionary, maxSize: 100 }).buffer;
  assert.deepEqual(call(secret)(), secret);
  for (const dictionary of [undefined, Buffer.of(1)]) {
    assert.throws(call(dictionary), { code: "Z_DATA_ERROR", message: "invalid distance too far back" });
  }
  assert.deepEqual(call(secret)(), secret);
  live.close();
});

test("E8: a compressor that fails is replaced, and continues from the window", () => {
  let isFailing = false;
  const failing: typeof zlib.createDeflateRaw = (options) => {
    const engine = createDeflateRaw(options);
    const native = (engine as unknown as { _handle: NativeZlib })._handle;
    const writeSync = native.writeSync.bind(native);
    native.writeSync = (...write) => {
      if (isFailing) native.onerror("insufficient memory", constants.Z_MEM_ERROR, "Z_MEM_ERROR");
      else writeSync(...write);
    };
    return engine;
  };
  const live = new LiveCalls({ ...zlib, createDeflateRaw: failing });
  const window = new PlaintextWindow(15);
  const options = { windowBits: 15, level: 6, memLevel: 8, window };
  const message = contentOf("text", 3000);
  for (let count = 0; count < 2; count++) {
    live.deflate(message, options);
    window.push(message);
  }
  assert.equal(live.size, 1);
  isFailing = true;
  assert.throws(() => live.deflate(message, options), { code: "Z_MEM_ERROR" });
  assert.equal(live.size, 0);
  isFailing = false;
  const deflated = live.deflate(message, options);
  assert(deflated.length < 100);
  const inflateOptions = { windowBits: 15, dictionary: window.dictionary, maxSize: 3000 };
  assert(documentedCalls.inflate(deflated, LAST_BLOCK, inflateOptions).buffer.equals(message));
  live.close();
});
