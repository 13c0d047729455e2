// The fuzzing loop: mutates an input, runs the target, and keeps inputs that cover new edges.

import { Coverage } from "./edges.js";
import { Mutator } from "./mutator.js";
import type { Random } from "./random.js";

/** The code under test: `fuzz` throws if a promise is violated. */
export interface Target {
  readonly fuzz: (data: Uint8Array) => void;
  /** Tokens of the format. */
  readonly dictionary: readonly string[];
}

export interface Finding {
  readonly input: Uint8Array;
  readonly error: unknown;
}

export interface FuzzResult {
  readonly executions: number;
  /** Edges that the initial inputs covered, and that all inputs covered in the end. */
  readonly coveredBefore: number;
  readonly coveredAfter: number;
  /** Inputs that were kept because they covered new edges. */
  readonly kept: readonly Uint8Array[];
  readonly finding: Finding | null;
}

export interface FuzzOptions {
  readonly target: Target;
  readonly seeds: readonly Uint8Array[];
  readonly random: Random;
  /** Called before each execution; returns whether to continue. */
  readonly mayGoOn: (executions: number) => boolean;
  /** Called with each input before it is run, for a watchdog. */
  readonly onInput: (input: Uint8Array) => void;
}

/** An input that takes longer than this is a finding: the library reads in linear time. */
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

/** Picks the newest inputs as often as all others, since they are the most likely to lead to new edges. */
function pick(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  const newest = corpus.slice(-16);
  return random.of(random.below(2) === 0 ? newest : corpus);
}
