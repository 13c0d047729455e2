// Collects the messages published in one turn of the event loop, so that a remote engine gets them in one request.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { EngineUnavailableError } from "../shared/engine-unavailable-error.js";
import { errorOf } from "../shared/thrown.js";
import type { Runtime } from "../connection/runtime.js";
import type { TopicsObserver } from "./diagnostics.js";
import type { EngineHealth } from "./engine-health.js";
import type { Engine, Publication, Published } from "./engine/engine.js";

interface WaitingPublication {
  readonly publication: Publication;
  /** Monotonic time, if somebody observes publications; null otherwise. */
  readonly startedAt: number | null;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: Error) => void;
}

export class Publisher {
  readonly #engine: Engine;
  readonly #runtime: Runtime;
  readonly #observer: TopicsObserver;
  readonly #health: EngineHealth;
  #waiting: WaitingPublication[] = [];

  constructor(engine: Engine, runtime: Runtime, observer: TopicsObserver, health: EngineHealth) {
    this.#engine = engine;
    this.#runtime = runtime;
    this.#observer = observer;
    this.#health = health;
  }

  publish(publication: Publication, signal: AbortSignal | null): Promise<Published> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const startedAt = this.#observer.wants(CHANNEL) ? this.#runtime.clock.now() : null;
      const waiting = { publication, startedAt, resolve, reject };
      if (this.#waiting.push(signal === null ? waiting : this.#abortable(waiting, signal)) > 1) return;
      this.#runtime.clock.atTurnEnd(() => void this.#flush());
    });
  }

  #abortable(
    { publication, startedAt, resolve, reject }: WaitingPublication,
    signal: AbortSignal,
  ): WaitingPublication {
    const onAbort = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting); // If it is still unsent.
      reject(signal.reason as Error);
    };
    const waiting: WaitingPublication = {
      publication,
      startedAt,
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
      if (results.some((result) => !(result instanceof Error))) this.#health.onSuccess();
      const size = batch.reduce((total, { publication }) => total + publication.data.length, 0);
      const rest = this.#runtime.spend(size); // An engine in this process may never wait for the network.
      if (rest !== null) await rest;
      for (const [index, waiting] of batch.entries()) this.#settle(waiting, results[index] ?? noResult());
    } catch (error) {
      this.#health.onFailure(error);
      for (const waiting of batch) this.#settle(waiting, errorOf(error));
    }
  }

  #settle({ publication, startedAt, resolve, reject }: WaitingPublication, result: Error | Published): void {
    const isError = result instanceof Error;
    if (startedAt !== null)
      this.#observer.emit(CHANNEL, {
        topic: publication.topic,
        published: isError ? null : result,
        error: isError ? result : null,
        duration: this.#runtime.clock.now() - startedAt,
      });
    if (isError) reject(result);
    else resolve(result);
  }
}

const CHANNEL = "holdfast:topic:publish";

function noResult(): Error {
  return new EngineUnavailableError("The engine returned fewer results than messages.", "unknown");
}
