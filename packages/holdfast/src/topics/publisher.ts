// Collects the messages published in one turn of the event loop, so that a remote engine gets them in one request.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { EngineUnavailableError } from "../shared/engine-unavailable-error.js";
import { errorOf } from "../shared/thrown.js";
import type { Clock } from "../connection/ports.js";
import type { Engine, Publication, Published } from "./engine/engine.js";

interface WaitingPublication {
  readonly publication: Publication;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: Error) => void;
}

export class Publisher {
  readonly #engine: Engine;
  readonly #clock: Clock;
  #waiting: WaitingPublication[] = [];

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  publish(publication: Publication, signal: AbortSignal | null): Promise<Published> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const waiting = { publication, resolve, reject };
      if (this.#waiting.push(signal === null ? waiting : this.#abortable(waiting, signal)) > 1) return;
      this.#clock.atTurnEnd(() => void this.#flush());
    });
  }

  #abortable({ publication, resolve, reject }: WaitingPublication, signal: AbortSignal): WaitingPublication {
    const onAbort = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting); // If it is still unsent.
      reject(signal.reason as Error);
    };
    const waiting: WaitingPublication = {
      publication,
      resolve: (published) => {
        unwatchAbort(signal, onAbort);
        resolve(published);
      },
      reject: (error) => {
        unwatchAbort(signal, onAbort);
        reject(error);
      },
    };
    watchAbort(signal, onAbort);
    return waiting;
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    try {
      const results = await this.#engine.publish(batch.map(({ publication }) => publication));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index] ?? noResult();
        if (result instanceof Error) reject(result);
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of batch) reject(errorOf(error));
    }
  }
}

function noResult(): Error {
  return new EngineUnavailableError("The engine returned fewer results than messages.", "unknown");
}
