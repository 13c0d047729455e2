// Whether calls to the engine succeed, as the calls of one `createTopics()` show it.

import { EngineUnavailableError } from "../shared/engine-unavailable-error.js";
import type { TopicsObserver } from "./diagnostics.js";
import type { Engine } from "./engine/engine.js";

export class EngineHealth {
  readonly #engine: Engine;
  readonly #observer: TopicsObserver;
  #isFailing = false;

  constructor(engine: Engine, observer: TopicsObserver) {
    this.#engine = engine;
    this.#observer = observer;
  }

  /** Passes on what the call returns, and notes its outcome. */
  async watch<Result>(call: Promise<Result>): Promise<Result> {
    try {
      const result = await call;
      this.onSuccess();
      return result;
    } catch (error) {
      this.onFailure(error);
      throw error;
    }
  }

  onSuccess(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#emit("available", null);
  }

  /** Other errors than EngineUnavailableError are of the call, not of the engine. */
  onFailure(error: unknown): void {
    if (this.#isFailing || !(error instanceof EngineUnavailableError)) return;
    this.#isFailing = true;
    this.#emit("unavailable", error);
  }

  #emit(state: "available" | "unavailable", error: EngineUnavailableError | null): void {
    if (!this.#observer.wants(CHANNEL)) return;
    this.#observer.emit(CHANNEL, { engine: this.#engine, state, error });
  }
}

const CHANNEL = "holdfast:engine:state";
