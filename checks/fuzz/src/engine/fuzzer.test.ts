import assert from "node:assert/strict";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import { edges } from "./edges.js";
import { runFuzzer } from "./fuzzer.js";
import { instrument } from "./instrument.js";
import { Random } from "./random.js";

/** Returns a function of an instrumented source, whose counters begin at `first`. */
function load(source: string, first = 0): { run: (data: Uint8Array) => unknown; counters: number } {
  let next = first;
  const code = instrument(`(() => { ${source} })()`, () => next++);
  return { run: runInThisContext(`{ ${code} }`) as (data: Uint8Array) => unknown, counters: next - first };
}

const taken = (count: number) => Array.from(edges.subarray(0, count));

test("Instrumented code behaves the same, and counts its branches", () => {
  const { run, counters } = load(`
    const small = (value) => value < 3;
    return (data) => {
      let sum = 0;
      for (const byte of data) {
        if (small(byte)) sum += byte;
        else switch (byte) { case 9: sum += 100; break; default: sum++; }
      }
      while (sum > 100) sum -= 50;
      try { if (sum === 0) throw new Error(); } catch { sum = -1; }
      return sum > 5 && data.length > 1 ? "large" : sum;
    };
  `);
  edges.fill(0);
  assert.equal(run(Uint8Array.of(1, 2)), 3);
  const first = taken(counters);
  edges.fill(0);
  assert.equal(run(Uint8Array.of(9, 9, 5)), "large");
  const second = taken(counters);
  edges.fill(0);
  assert.equal(run(Uint8Array.of(0)), -1);
  const third = taken(counters);
  edges.fill(0);
  for (const counts of [first, second, third]) assert.notEqual(counts.indexOf(0), -1);
  assert.notDeepEqual(first, second);
  const together = first.map((count, index) => count + (second[index] ?? 0) + (third[index] ?? 0));
  // All except the surrounding function, which was called before.
  assert.deepEqual(
    together.filter((count) => count === 0),
    [0],
  );
});

test("The fuzzer reaches nested conditions that random inputs would not, and keeps the intermediate inputs", () => {
  const { run } = load(`
    return (data) => {
      if (data[0] === 0x48) if (data[1] === 0x46) if (data[2] === 0x21) throw new Error("planted");
    };
  `);
  edges.fill(0);
  const result = runFuzzer({
    target: { fuzz: (data) => void run(data), dictionary: [] },
    seeds: [Buffer.from("xxxx")],
    random: new Random(1),
    mayGoOn: (executions) => executions < 500_000,
    onInput: () => undefined,
  });
  assert.equal((result.finding?.error as Error | undefined)?.message, "planted");
  assert.equal(Buffer.from(result.finding?.input ?? []).toString("latin1", 0, 3), "HF!");
  assert(result.coveredAfter > result.coveredBefore && result.kept.length >= 3);
});

test("The fuzzer reports a failing seed at once, and ends after its time limit", () => {
  const options = { seeds: [Buffer.from("x")], random: new Random(1), onInput: () => undefined };
  const failing = runFuzzer({
    ...options,
    target: {
      fuzz: (data) => {
        if (data.length > 0) throw new Error("seed");
      },
      dictionary: ["word"],
    },
    mayGoOn: () => assert.fail(),
  });
  assert.deepEqual([failing.executions, failing.finding?.input], [2, Buffer.from("x")]);
  const quiet = runFuzzer({
    ...options,
    target: { fuzz: () => undefined, dictionary: ["word"] },
    mayGoOn: (executions) => executions < 1000,
  });
  assert.deepEqual([quiet.executions, quiet.finding], [1000, null]);
});

test("A seed gives the same numbers again, spread over their range", () => {
  const numbers = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 1000 }, () => random.below(10));
  };
  assert.deepEqual(numbers(5), numbers(5));
  assert.notDeepEqual(numbers(5), numbers(6));
  assert.deepEqual([...new Set(numbers(7))].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
