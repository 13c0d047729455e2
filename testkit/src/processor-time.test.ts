import assert from "node:assert/strict";
import { test } from "node:test";
import { assertLinear, processorTime } from "./processor-time.js";
import { blockEventLoop } from "./waiting.js";

/** Computes for so many steps. */
function compute(steps: number): number {
  let sum = 0;
  for (let step = 0; step < steps; step++) sum = (sum + step) | 0;
  return sum;
}

test("processorTime() counts what this process computes, and not what it waits", () => {
  const start = processorTime();
  blockEventLoop(300);
  const waited = processorTime() - start;
  compute(40_000_000);
  const computed = processorTime() - start - waited;
  assert.ok(waited < 100 && computed > 5, `${waited} ms for waiting, ${computed} ms for computing`);
});

test("assertLinear() distinguishes runs in proportion to their size from quadratic ones", async () => {
  assert.ok((await assertLinear(4_000_000, compute, "A loop")) > 0);
  assert.ok((await assertLinear(8, compute, "A short loop")) < 20);
  await assert.rejects(
    assertLinear(4_000, (size) => compute(size * size), "A loop in a loop"),
    /^Error: A loop in a loop took \d+\.\d ms, and for an eighth of it \d+\.\d ms$/,
  );
});
