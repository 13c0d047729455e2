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
  readonly #guests = new Set<OnFailed>();
  #worker: RunningWorker | null = null;

  constructor(start: (onFailed: OnFailed) => RunningWorker) {
    this.#start = start;
  }

  /**
   * Hands the worker a connection to open; returns what lets go of it.
   *
   * @throws WorkerError where no worker can be started, or the message cannot be sent to it
   */
  employ(message: object, port: MessagePort, onFailed: OnFailed): () => void {
    const letGo = (): void => {
      if (this.#guests.delete(onFailed)) this.#leaveIfUnused();
    };
    try {
      this.#worker ??= this.#start((error) => this.#onFailed(error));
      this.#guests.add(onFailed);
      this.#worker.post(message, port);
    } catch (error) {
      letGo();
      if (error instanceof WorkerError) throw error;
      throw new WorkerError("The worker of the connection could not be started; `cause` says why", error);
    }
    return letGo;
  }

  #leaveIfUnused(): void {
    if (this.#guests.size > 0) return;
    this.#worker?.leave();
    this.#worker = null;
  }

  #onFailed(error: Error): void {
    this.#worker = null;
    const guests = [...this.#guests];
    this.#guests.clear();
    for (const onFailed of guests) onFailed(error);
  }
}
