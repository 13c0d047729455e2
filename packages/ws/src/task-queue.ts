// Keeps calls in order while a Blob is read, which takes time: later messages wait for it.

import type { Callback } from "./outgoing.js";

interface Task {
  readonly run: () => void;
  readonly callback: Callback | undefined;
  readonly size: number;
}

interface BlobReceiver {
  readonly callback: Callback | undefined;
  /** The Blob cannot be read: nothing after it will be sent. */
  readonly onUnreadable: (error: Error) => void;
}

export class TaskQueue {
  readonly #hasEnded: () => boolean;
  readonly #onEmpty: () => void;
  #tasks: Task[] = [];
  #reading: Task | null = null;
  #bytes = 0;

  /** @param onEmpty called when nothing waits any more */
  constructor(hasEnded: () => boolean, onEmpty: () => void) {
    this.#hasEnded = hasEnded;
    this.#onEmpty = onEmpty;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  add(run: () => void, callback: Callback | undefined, size: number): void {
    this.#bytes += size;
    this.#tasks.push({ run, callback, size });
    this.#next();
  }

  /** Reads a Blob in its turn, and passes its bytes to `run`. */
  addBlob(blob: Blob, run: (bytes: Buffer) => void, { callback, onUnreadable }: BlobReceiver): void {
    const read = (): void => {
      const task: Task = { run: () => undefined, callback, size: blob.size };
      this.#bytes += blob.size; // `#next` has subtracted it.
      this.#reading = task;
      void blob.arrayBuffer().then(
        (memory) => {
          if (this.#reading !== task) return;
          this.#reading = null;
          if (this.#hasEnded()) {
            this.#fail([task], closedWhileReading());
            return;
          }
          this.#bytes -= blob.size;
          run(Buffer.from(memory));
          this.#next();
        },
        (error: unknown) => {
          const failure = error as Error; // Blob.arrayBuffer rejects with a DOMException.
          this.#reading = null;
          this.#fail([task], failure);
          process.nextTick(onUnreadable, failure);
        },
      );
    };
    this.add(read, callback, blob.size);
  }

  /** Nothing is sent any more. The callbacks get an error, once the Blob that is being read allows to name its cause. */
  end(): void {
    if (this.#reading === null) this.#fail([], closedWhileReading());
  }

  /** In later ticks, so that an exception of a callback is an uncaught one rather than a rejected promise. */
  #fail(first: readonly Task[], error: Error): void {
    const tasks = [...first, ...this.#tasks];
    this.#tasks = [];
    this.#bytes = 0;
    for (const { callback } of tasks) if (callback !== undefined) process.nextTick(callback, error);
  }

  #next(): void {
    while (this.#reading === null) {
      const task = this.#tasks.shift();
      if (task === undefined) {
        this.#onEmpty();
        return;
      }
      this.#bytes -= task.size;
      task.run();
    }
  }
}

function closedWhileReading(): Error {
  return new Error("The socket was closed while the blob was being read");
}
