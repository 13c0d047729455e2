// Collects the messages published in one turn of the event loop, so that a remote engine gets them in one request.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { EngineUnavailableError } from "../shared/engine-unavailable-error.js";
import { errorOf } from "../shared/thrown.js";
import type { Clock } from "../connection/ports.js";
import type { Engine, Publication, Published } from "./engine/engine.js";

interface WaitingPublication {
  readonly publication: Publication;
  readonly settle: (result: Error | Published) => void;
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
      const onAbort = (): void => {
        const isUnsent = this.#waiting.includes(waiting);
        if (isUnsent) this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal?.reason as Error);
      };
      const settle = (result: Error | Published): void => {
        if (signal !== null) unwatchAbort(signal, onAbort);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      const waiting = { publication, settle };
      if (signal !== null) watchAbort(signal, onAbort);
      if (this.#waiting.push(waiting) === 1) this.#clock.atTurnEnd(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    try {
      const results = await this.#engine.publish(batch.map(({ publication }) => publication));
      batch.forEach(({ settle }, index) => settle(results[index] ?? noResult()));
    } catch (error) {
      for (const { settle } of batch) settle(errorOf(error));
    }
  }
}

function noResult(): Error {
  return new EngineUnavailableError("The engine returned fewer results than messages.", "unknown");
}
