import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sparkline } from "./sparkline.js";
import { clock, duration, printable, wrap } from "./text.js";

describe("text for a terminal", () => {
  test("Demo: control characters and direction marks are escaped", () => {
    assert.equal(printable("Grüße, 世界 👋"), "Grüße, 世界 👋");
    assert.equal(printable("\x1b[2J\x07\r\n\x7f\x9b"), "\\x1b[2J\\x07\\x0d\\x0a\\x7f\\x9b");
    assert.equal(printable("a\u202eb\u2066c\u200f\u2028"), "a\\u202eb\\u2066c\\u200f\\u2028");
  });

  test("Demo: a paragraph is split between words, and a word that is too long is split itself", () => {
    assert.deepEqual(wrap("", 10), []);
    assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
    assert.deepEqual(wrap("a abcdefghij b", 4), ["a", "abcd", "efgh", "ij b"]);
  });

  test("Demo: a figure stays with its unit", () => {
    assert.deepEqual(wrap("it took 20 ms then", 10), ["it took", "20 ms then"]);
    assert.deepEqual(wrap("at least 1 s. Then 5 sheep", 10), ["at least", "1 s. Then", "5 sheep"]);
  });

  test("Demo: durations have a readable number of digits", () => {
    const figures = [0.4213, 9.996, 21.4, 999.6, 2_250, 20_000].map(duration);
    assert.deepEqual(figures, ["0.42 ms", "10 ms", "21 ms", "1 s", "2.25 s", "20 s"]);
    assert.equal(clock(2_349), "2.3");
  });

  test("Demo: a sparkline rises with the round trips", () => {
    assert.equal(sparkline([]), "");
    assert.equal(sparkline([0.3, 7, 21, 60, 153, 300, 700, 1_210]), "▁▂▃▄▅▆▇█");
  });
});
