// Notices the end of a stream of the application that emits no `close`: one with `emitClose: false`, or one whose
// `_destroy` never calls back. Sockets of Node.js always emit it, so they need no watch.

import type { Duplex } from "node:stream";
import { nodeRuntime } from "./node-runtime.js";

/**
 * Milliseconds after which a stream that was destroyed, or has ended on both sides, counts as closed. A stream that does
 * emit `close` does so within a few turns of the event loop.
 */
const CLOSE_WITHIN = 1_000;

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

  /** The stream should close now; within the next turns of the event loop if that `isOverdue`. */
  begin(isOverdue = false): void {
    if (this.#isStopped || (this.#cancel !== null && !isOverdue)) return;
    this.#cancel?.();
    this.#cancel = nodeRuntime().clock.setTimer(isOverdue ? 0 : CLOSE_WITHIN, this.#onOverdue);
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
