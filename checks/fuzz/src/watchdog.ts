// A thread that watches the fuzzer: otherwise an endless loop would hang it silently.

import { Worker } from "node:worker_threads";
import type { TargetName } from "./targets.js";

/**
 * Memory that both threads share: the number of executions, and the current input, preceded by its length.
 */
export interface Watched {
  readonly counter: Int32Array;
  readonly input: Uint8Array;
}

const MAX_INPUT = 64 * 1024;

export class Watchdog {
  readonly #counter = new Int32Array(new SharedArrayBuffer(8));
  readonly #input = new Uint8Array(new SharedArrayBuffer(MAX_INPUT));

  /** @param limit milliseconds that an input may take before the watchdog saves it and ends this process */
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
