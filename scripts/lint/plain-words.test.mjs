// Tests the rule about plain words: it reports tics, and leaves plain text alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ESLint } from "eslint";
import { findTic, plainWords } from "./plain-words.mjs";

test("Lint: translated phrases are reported", () => {
  for (const text of [
    "Whoever waits for it sees the error.",
    "What takes messages whole.",
    "Closes it. Those that have not left are rejected.",
    "The handler is told of the end.",
    "It comes back by itself.",
    "Lets go of the port.",
    "The laws of backing off.",
  ]) {
    assert.notEqual(findTic(text), null, text);
  }
});

test("Lint: plain text, questions and quotations are not reported", () => {
  for (const text of [
    "Consumer of complete messages.",
    "What is 1006?",
    "Returns what the caller passed.",
    'The message is "told you so", and `tell()` sends it.',
    "The client reconnects.",
  ]) {
    assert.equal(findTic(text), null, text);
  }
});

test("Lint: the rule reads comments over several lines, and titles of tests", async () => {
  const linter = new ESLint({
    overrideConfigFile: true,
    baseConfig: [
      {
        files: ["**/*.mjs"],
        plugins: { house: { rules: { "plain-words": plainWords } } },
        rules: { "house/plain-words": "error" },
      },
    ],
  });
  const code =
    "// The end of it is\n// told once.\n/**\n * What ends it.\n */\ntest('a peer is told', f); test(`a peer is ${x}`, f);\n";
  const [{ messages }] = await linter.lintText(code, { filePath: "scripts/a.mjs" });
  assert.deepEqual(
    messages.map(({ line, ruleId }) => [line, ruleId]),
    [1, 3, 6].map((line) => [line, "house/plain-words"]),
  );
});
