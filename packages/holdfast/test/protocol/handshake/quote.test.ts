import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { quote, quoteAll } from "../../../build/shared/quote.js";

test("H: control characters are escaped in messages, those of ISO 8859-1 and of Unicode too", () => {
  assert.equal(quote('a\x1b[2J\r\n"\\\x9b\u202e'), '"a\\u001b[2J\\u000d\\u000a\\"\\\\\\u009b\\u202e"');
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => assert.match(quote(text), /^"[\x20-\x7e]*…?"$/)),
  );
});

test("H: long texts are shortened in messages", () => {
  assert.equal(quote("x".repeat(81)), `"${"x".repeat(80)}…"`);
  assert.equal(quoteAll([]), "none");
  assert.equal(quoteAll(["a", "b"]), '"a" and "b"');
  assert.equal(quoteAll(["a", "b", "c", "d", "e", "f"]), '"a" and "b" and "c" and "d" and 2 more');
});
