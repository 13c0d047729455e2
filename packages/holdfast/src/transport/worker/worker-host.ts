// A worker and the connections that live in it. It is started for the first of them, and ended behind the last.

import { WorkerError } from "./worker-error.js";

/** Why a connection's worker is of no more use. */
export type OnFailed = (error: Error) => void;

export interface RunningWorker {
  post(message: object, port: MessagePort): void;
  /** Nobody needs it any more. */
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
   * Hands the worker a connection to open; returns what lets go of it.
   *
   * @throws WorkerError where no worker can be started, or the message cannot be sent to it
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
      throw new WorkerError("The worker of the connection could not be started; `cause` says why", error);
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
    const guests = [...this.#clients];
    this.#clients.clear();
    for (const onFailed of guests) onFailed(error);
  }
}
