// The watches of members that `topics.watch()` has started in this process.

import { callSafely } from "../connection/arguments.js";
import { bindToContext } from "../connection/platform.js";
import type { Runtime } from "../connection/runtime.js";
import type { EngineHealth } from "./engine-health.js";
import type { Engine } from "./engine/engine.js";
import { pause } from "./pause.js";
import { PresenceWatch, type PresenceUpdate } from "./presence-watch.js";

/** Milliseconds until listing the members is retried after a failure. */
const LIST_AGAIN_AFTER = 1_000;

/** The part of TopicsCore that the watches use. */
export interface PresenceWatchesHandler {
  readonly runtime: Runtime;
  readonly engine: Engine;
  readonly health: EngineHealth;
  onRetry(topic: string, what: "presence", error: unknown, delay: number): void;
  onError(message: string, error: unknown): void;
}

export class PresenceWatches {
  readonly #handler: PresenceWatchesHandler;
  readonly #watches = new Set<PresenceWatch>();

  constructor(handler: PresenceWatchesHandler) {
    this.#handler = handler;
  }

  /** Resolves with a function that stops the watch. */
  async add(topic: string, onChange: (update: PresenceUpdate) => void): Promise<() => void> {
    const { runtime, engine, health } = this.#handler;
    const callback: (update: PresenceUpdate) => unknown = bindToContext(runtime.platform, onChange);
    const onFailed = (error: unknown): void =>
      this.#handler.onError("a function of topics.watch() failed", error);
    const watch = new PresenceWatch({
      store: engine.presence,
      topic,
      onUpdate: (update) => callSafely(() => callback(update), onFailed),
      onError: (error) => this.#handler.onRetry(topic, "presence", error, LIST_AGAIN_AFTER),
      pause: () => pause(runtime, LIST_AGAIN_AFTER),
    });
    const stop = (): void => {
      this.#watches.delete(watch);
      watch.stop();
    };
    this.#watches.add(watch);
    await health.watch(watch.start()).catch((error: unknown) => {
      stop();
      throw error;
    });
    return stop;
  }

  stop(): void {
    for (const watch of this.#watches) watch.stop();
  }
}
