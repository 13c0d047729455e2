import assert from "node:assert/strict";
import { test } from "node:test";
import { bundle } from "./bundle.js";
import { MEASURED } from "./libraries.js";

/** Names that exist only in Node.js, as a program uses them. */
const NODE_ONLY = [
  /\bBuffer\b/,
  /\bprocess\./,
  /\bsetImmediate\b/,
  /\brequire\(/,
  /["'`]node:/,
  /\b__dirname\b/,
];

for (const { name, program, limit, splits = false } of MEASURED) {
  if (limit === null) continue;
  test(`I1: ${name} is at most ${limit} bytes in a page, minified and with gzip`, async () => {
    const { gzip } = await bundle(program, { splits });
    assert(gzip <= limit, `${gzip} bytes`);
  });
}

/** Everything that the library exports. */
const whole = bundle(`import * as all from "holdfast"; globalThis.kept = all;`);

test("I1: a bundler for browsers takes the browser's surface, and finds nothing of Node in it", async () => {
  const { inputs, text } = await whole;
  assert(
    inputs.some((path) => path.endsWith("/dist/browser.js")),
    inputs.join(),
  );
  assert.deepEqual(
    inputs.filter((path) => !path.includes("packages/holdfast/dist/")),
    [],
  );
  const traces = NODE_ONLY.filter((trace) => trace.test(text)).map(String);
  assert.deepEqual(traces, []);
});

test("I1: the bundle contains no unused code", async () => {
  const { minified } = await whole;
  const few = await bundle(`import { HoldfastError } from "holdfast"; globalThis.kept = HoldfastError;`);

  assert(few.minified < minified / 20, `${few.minified} of ${minified} bytes`);
});

test("I1: the subpath holdfast/browser is the same surface", async () => {
  const { inputs } = await whole;
  const bySubpath = await bundle(`import * as all from "holdfast/browser"; globalThis.kept = all;`);
  assert.deepEqual(bySubpath.inputs, inputs);
});
