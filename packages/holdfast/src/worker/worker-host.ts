// A worker and the connections that live in it. It is started for the first of them, and ended behind the last.

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

  /** Hands the worker a connection to open; returns what lets go of it. */
  employ(message: object, port: MessagePort, onFailed: OnFailed): () => void {
    this.#worker ??= this.#start((error) => this.#onFailed(error));
    this.#guests.add(onFailed);
    this.#worker.post(message, port);
    return () => {
      if (!this.#guests.delete(onFailed) || this.#guests.size > 0) return;
      this.#worker?.leave();
      this.#worker = null;
    };
  }

  #onFailed(error: Error): void {
    this.#worker = null;
    const guests = [...this.#guests];
    this.#guests.clear();
    for (const onFailed of guests) onFailed(error);
  }
}
