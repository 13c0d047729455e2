// Collects the messages published in one turn of the event loop, so that a remote engine gets them in one request.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { EngineUnavailableError } from "../shared/engine-unavailable-error.js";
import { errorOf } from "../shared/thrown.js";
import type { Clock } from "../connection/ports.js";
import type { TopicsObserver } from "./diagnostics.js";
import type { EngineHealth } from "./engine-health.js";
import type { Engine, Publication, Published } from "./engine/engine.js";

interface WaitingPublication {
  readonly publication: Publication;
  readonly settle: (result: Error | Published) => void;
}

export class Publisher {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #observer: TopicsObserver;
  readonly #health: EngineHealth;
  #waiting: WaitingPublication[] = [];

  constructor(engine: Engine, clock: Clock, observer: TopicsObserver, health: EngineHealth) {
    this.#engine = engine;
    this.#clock = clock;
    this.#observer = observer;
    this.#health = health;
  }

  publish(publication: Publication, signal: AbortSignal | null): Promise<Published> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const isUnsent = this.#waiting.includes(waiting);
        if (isUnsent) this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal?.reason as Error);
      };
      // Null if nobody observes publications.
      const startedAt = this.#observer.wants(CHANNEL) ? this.#clock.now() : null;
      const settle = (result: Error | Published): void => {
        if (signal !== null) unwatchAbort(signal, onAbort);
        if (startedAt !== null) this.#report(publication.topic, result, this.#clock.now() - startedAt);
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
      if (results.some((result) => !(result instanceof Error))) this.#health.onSuccess();
      batch.forEach(({ settle }, index) => settle(results[index] ?? noResult()));
    } catch (error) {
      this.#health.onFailure(error);
      for (const { settle } of batch) settle(errorOf(error));
    }
  }

  #report(topic: string, result: Error | Published, duration: number): void {
    const isError = result instanceof Error;
    this.#observer.emit(CHANNEL, {
      topic,
      published: isError ? null : result,
      error: isError ? result : null,
      duration,
    });
  }
}

const CHANNEL = "holdfast:topic:publish";

function noResult(): Error {
  return new EngineUnavailableError("The engine returned fewer results than messages.", "unknown");
}
