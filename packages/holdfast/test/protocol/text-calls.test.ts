import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  documentedCalls,
  readLatin1,
  readUtf8,
  textCallsOf,
  type UndocumentedCalls,
  writeLatin1,
  writeUtf8,
} from "../../build/protocol/text-calls.js";
import { anyText } from "./arbitraries.js";

const trusted = { readLatin1, readUtf8, writeLatin1, writeUtf8 };

test("E: text is written and read as Buffer.write() and Buffer.toString() do it, at any place", () => {
  fc.assert(
    fc.property(anyText(60), fc.nat(9), (text, at) => {
      const written = [trusted, documentedCalls].map((calls) => {
        const bytes = Buffer.alloc(at + text.length * 3);
        const count = calls.writeUtf8(bytes, text, at);
        return { bytes, count, read: calls.readUtf8(bytes, at, at + count) };
      });
      assert.deepEqual(written[0], written[1]);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      const text = trusted.readLatin1(buffer, 0, bytes.length);
      assert.deepEqual(
        [text, trusted.readUtf8(buffer, 1, bytes.length)],
        [buffer.toString("latin1"), buffer.toString("utf8", 1)],
      );
      const copy = Buffer.alloc(bytes.length + 2);
      assert.equal(trusted.writeLatin1(copy, text, 1), bytes.length);
      assert.deepEqual(copy.subarray(1, -1), buffer);
    }),
  );
});

test("E: internal calls of Node that are missing, throw, or behave differently are not used", () => {
  const real = Buffer.prototype as UndocumentedCalls;
  assert.notEqual(textCallsOf({ ...callsOf(real) }), documentedCalls);
  assert.equal(textCallsOf({}), documentedCalls);
  const broken: UndocumentedCalls[] = [
    { utf8Write: undefined },
    { utf8Write: () => 0 },
    { latin1Write: (): number => assert.fail("gone") },
    { utf8Slice: () => "" },
    {
      latin1Slice(start, end) {
        return this.toString("utf8", start, end);
      },
    },
  ];
  for (const change of broken) assert.equal(textCallsOf({ ...callsOf(real), ...change }), documentedCalls);
});

function callsOf({ utf8Write, latin1Write, utf8Slice, latin1Slice }: UndocumentedCalls): UndocumentedCalls {
  return { utf8Write, latin1Write, utf8Slice, latin1Slice };
}
