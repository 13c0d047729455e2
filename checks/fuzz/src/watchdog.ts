// A thread that watches the fuzzer: an input that never returns would hang it without a word.

import { Worker } from "node:worker_threads";
import type { TargetName } from "./targets.js";

/** What both threads see: the number of executions, and the input under test with its length before it. */
export interface Watched {
  readonly counter: Int32Array;
  readonly input: Uint8Array;
}

const MAX_INPUT = 64 * 1024;

export class Watchdog {
  readonly #counter = new Int32Array(new SharedArrayBuffer(8));
  readonly #input = new Uint8Array(new SharedArrayBuffer(MAX_INPUT));

  /** @param limit milliseconds that an input may take before this process is ended, and the input written */
  constructor(target: TargetName, limit: number) {
    const workerData = { counter: this.#counter, input: this.#input, target, limit };
    new Worker(new URL("./watchdog-thread.js", import.meta.url), { workerData, execArgv: [] }).unref();
  }

  note(input: Uint8Array): void {
    this.#input.set(input.subarray(0, MAX_INPUT));
    this.#counter[1] = Math.min(input.length, MAX_INPUT);
    Atomics.add(this.#counter, 0, 1);
  }
}
