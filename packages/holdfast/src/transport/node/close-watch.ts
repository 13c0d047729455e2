// Notices the end of a stream of the application that emits no `close`: one with `emitClose: false`, or one whose
// `_destroy` never calls back. Sockets of Node.js always emit it, so they need no watch.

import type { Duplex } from "node:stream";
import { nodeRuntime } from "./node-runtime.js";

/** Milliseconds of the last wait; each one before it is half as long. A stream that emits `close` does so within a few turns. */
const LONGEST_WAIT = 256;

export class CloseWatch {
  readonly #stream: Duplex;
  readonly #onOverdue: () => void;
  #cancel: (() => void) | null = null;
  #isStopped = false;

  /** @param onOverdue called if the stream should have closed and has not */
  constructor(stream: Duplex, onOverdue: () => void) {
    this.#stream = stream;
    this.#onOverdue = onOverdue;
    stream.on("end", this.#onHalfEnded).on("finish", this.#onHalfEnded);
  }

  /** Whether the watch is over: the end was reported, or the stream has another reader. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The stream should close now: looks until it has, or for half a second, since its `_destroy` may never call back. */
  begin(): void {
    if (!this.#isStopped && this.#cancel === null) this.#waitFor(0);
  }

  #waitFor(ms: number): void {
    this.#cancel = nodeRuntime().clock.setTimer(ms, () => {
      if (this.#stream.closed || ms === LONGEST_WAIT) this.#onOverdue();
      else this.#waitFor(ms === 0 ? 1 : ms * 2);
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#stream.off("end", this.#onHalfEnded).off("finish", this.#onHalfEnded);
    this.#cancel?.();
  }

  readonly #onHalfEnded = (): void => {
    if (this.#stream.readableEnded && this.#stream.writableFinished) this.begin();
  };
}
