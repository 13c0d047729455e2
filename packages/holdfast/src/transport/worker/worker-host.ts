// A worker and its connections. It starts with the first connection and ends after the last.

import { withFullStop } from "../../shared/full-stop.js";
import { thrownText } from "../../shared/thrown.js";
import { WorkerError } from "./worker-error.js";

/** Called with the reason when the worker of a connection can no longer be used. */
export type OnFailed = (error: Error) => void;

export interface RunningWorker {
  post(message: object, port: MessagePort): void;
  /** The last connection has ended. */
  leave(): void;
}

export class WorkerHost {
  readonly #start: (onFailed: OnFailed) => RunningWorker;
  readonly #clients = new Set<OnFailed>();
  #worker: RunningWorker | null = null;

  constructor(start: (onFailed: OnFailed) => RunningWorker) {
    this.#start = start;
  }

  /**
   * Assigns a connection to the worker. Returns a function that releases the worker.
   *
   * @throws WorkerError if no worker can be started, or the message cannot be sent to it
   */
  acquire(message: object, port: MessagePort, onFailed: OnFailed): () => void {
    const release = (): void => {
      if (this.#clients.delete(onFailed)) this.#leaveIfUnused();
    };
    try {
      this.#worker ??= this.#start((error) => this.#onFailed(error));
      this.#clients.add(onFailed);
      this.#worker.post(message, port);
    } catch (error) {
      release();
      if (error instanceof WorkerError) throw error;
      throw new WorkerError(
        withFullStop(`Could not start the worker of the connection: ${thrownText(error)}`),
        error,
      );
    }
    return release;
  }

  #leaveIfUnused(): void {
    if (this.#clients.size > 0) return;
    this.#worker?.leave();
    this.#worker = null;
  }

  #onFailed(error: Error): void {
    this.#worker = null;
    const clients = [...this.#clients];
    this.#clients.clear();
    for (const onFailed of clients) onFailed(error);
  }
}
