import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HandlePool } from "../../../build/protocol/deflate/handle-pool.js";
import { ZlibHandle } from "../../../build/protocol/deflate/zlib-handle.js";

function handleOf(key: number, closed: number[]): ZlibHandle {
  const native = { onerror: () => undefined, writeSync: () => undefined };
  const [reset, close] = [() => undefined, () => closed.push(key)];
  return new ZlibHandle({
    reset,
    close,
    on: () => undefined,
    _handle: native,
    _writeState: new Uint32Array(2),
  });
}

test("E8: a pool keeps the handles that were used last, and closes every other one once", () => {
  const step = fc.record({ key: fc.nat(5), isDropped: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (capacity, steps) => {
      const closed: number[] = [];
      const pool = new HandlePool<number>(capacity);
      let expected: number[] = [];
      const expectedClosed: number[] = [];
      for (const { key, isDropped } of steps) {
        const isThere = expected.includes(key);
        expected = expected.filter((each) => each !== key);
        if (isDropped) {
          if (isThere) expectedClosed.push(key);
          pool.drop(key);
        } else {
          if (expected.length === capacity) expectedClosed.push(...expected.splice(0, 1));
          expected.push(key);
          const handle = pool.get(key);
          assert.equal(handle !== undefined, isThere);
          if (handle === undefined) pool.add(key, handleOf(key, closed));
        }
        assert.equal(pool.size, expected.length);
        assert.deepEqual(closed, expectedClosed);
      }
      pool.clear();
      assert.deepEqual(closed.splice(0, expectedClosed.length), expectedClosed);
      assert.deepEqual(closed.sort(), expected.sort());
      assert.equal(pool.size, 0);
    }),
  );
});
