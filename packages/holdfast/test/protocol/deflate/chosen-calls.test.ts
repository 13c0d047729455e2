import assert from "node:assert/strict";
import { test } from "node:test";
import { createDeflateRaw, createInflateRaw } from "node:zlib";
import { zlibCalls, zlibCallsOf } from "../../../build/protocol/deflate/chosen-calls.js";
import { LiveCalls } from "../../../build/protocol/deflate/live-calls.js";
import { documentedCalls } from "../../../build/protocol/deflate/zlib-calls.js";
import type { NativeZlib, ZlibEngine } from "../../../build/protocol/deflate/zlib-handle.js";

const zlib = { createDeflateRaw, createInflateRaw };

/** A stream whose handle differs. */
function altered(
  engine: ZlibEngine,
  change: (native: NativeZlib) => Partial<NativeZlib> | undefined,
): ZlibEngine {
  const { _handle: native } = engine;
  assert(native);
  const handle = change(native);
  return {
    reset: () => engine.reset(),
    close: () => engine.close(),
    on: (...listener) => engine.on(...listener),
    _handle: handle && { onerror: () => undefined, writeSync: native.writeSync.bind(native), ...handle },
    _writeState: engine._writeState,
  };
}

test("E8: streams are kept if Node's zlib can be driven synchronously", () => {
  assert(zlibCalls() instanceof LiveCalls);
  assert.equal(zlibCalls(), zlibCalls());
});

test("E8: the documented calls are used where a stream's handle is missing, throws, or works otherwise", () => {
  const changes: ((native: NativeZlib) => Partial<NativeZlib> | undefined)[] = [
    () => undefined,
    () => ({ writeSync: () => assert.fail("gone") }),
    () => ({ writeSync: () => undefined }),
    // It reports errors elsewhere.
    () => ({}),
    // It forgets what came before.
    (native) => ({
      writeSync(...write) {
        (native as unknown as { reset: () => void }).reset();
        return native.writeSync(...write);
      },
    }),
  ];
  for (const change of changes) {
    for (const factory of [
      { ...zlib, createInflateRaw: () => altered(createInflateRaw(), change) },
      {
        createDeflateRaw: (...options: Parameters<typeof createDeflateRaw>) =>
          altered(createDeflateRaw(...options), change),
        createInflateRaw: () => altered(createInflateRaw(), change),
      },
    ]) {
      assert.equal(zlibCallsOf(factory), documentedCalls, String(change));
    }
  }
  assert(zlibCallsOf(zlib) instanceof LiveCalls);
});

test("E8: the documented calls are used where a stream continues although it was reset", () => {
  const withoutReset = <Engine extends ZlibEngine>(engine: Engine): Engine =>
    Object.assign(engine, { reset: () => undefined });
  const deflating = { ...zlib, createDeflateRaw: () => withoutReset(createDeflateRaw()) };
  const inflating = { ...zlib, createInflateRaw: () => withoutReset(createInflateRaw()) };
  for (const factory of [deflating, inflating]) assert.equal(zlibCallsOf(factory), documentedCalls);
});
