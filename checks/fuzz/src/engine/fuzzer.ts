// The loop: change an input, run the target, keep what went a way that none went before.

import { Coverage } from "./edges.js";
import { Mutator } from "./mutator.js";
import type { Random } from "./random.js";

/** What is fuzzed: `fuzz` throws where a promise is broken. */
export interface Target {
  readonly fuzz: (data: Uint8Array) => void;
  /** Words of the format. */
  readonly dictionary: readonly string[];
}

export interface Finding {
  readonly input: Uint8Array;
  readonly error: unknown;
}

export interface FuzzResult {
  readonly executions: number;
  /** Edges that the inputs at the beginning covered, and that all did in the end. */
  readonly coveredBefore: number;
  readonly coveredAfter: number;
  /** Inputs that were kept because they covered something new. */
  readonly kept: readonly Uint8Array[];
  readonly finding: Finding | null;
}

export interface FuzzOptions {
  readonly target: Target;
  readonly seeds: readonly Uint8Array[];
  readonly random: Random;
  /** Asked before each execution. */
  readonly mayGoOn: (executions: number) => boolean;
  /** Told of each input before it is run, for somebody who watches over its time. */
  readonly onInput: (input: Uint8Array) => void;
}

/** Longer than this for one input is a finding: the library reads in linear time. */
const SLOW = 1000;

export function runFuzzer({ target, seeds, random, mayGoOn, onInput }: FuzzOptions): FuzzResult {
  const dictionary = target.dictionary.map((word) => Buffer.from(word, "latin1"));
  const mutator = new Mutator(random, dictionary);
  const coverage = new Coverage();
  const corpus = [Buffer.alloc(0), ...seeds];
  const kept: Uint8Array[] = [];
  let executions = 0;

  const execute = (input: Uint8Array): Finding | null => {
    executions++;
    onInput(input);
    const start = performance.now();
    try {
      target.fuzz(input);
    } catch (error) {
      return { input, error };
    }
    const took = performance.now() - start;
    return took < SLOW ? null : { input, error: new Error(`It took ${took.toFixed(0)} ms`) };
  };
  const result = (coveredBefore: number, finding: Finding | null): FuzzResult => ({
    executions,
    coveredBefore,
    coveredAfter: coverage.covered,
    kept,
    finding,
  });

  for (const seed of corpus) {
    const finding = execute(seed);
    coverage.collect();
    if (finding !== null) return result(coverage.covered, finding);
  }
  const coveredBefore = coverage.covered;
  while (mayGoOn(executions)) {
    const input = mutator.mutate(pick(corpus, random), random.of(corpus));
    const finding = execute(input);
    if (coverage.collect()) {
      corpus.push(Buffer.from(input));
      kept.push(input);
    }
    if (finding !== null) return result(coveredBefore, finding);
  }
  return result(coveredBefore, null);
}

/** The newest inputs as often as all others: the way on leads from there. */
function pick(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  const newest = corpus.slice(-16);
  return random.of(random.below(2) === 0 ? newest : corpus);
}
