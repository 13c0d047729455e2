// Learns from the option `keep` when the client is about to stop, and when it continues after all.

import { callSafely } from "../../connection/arguments.js";
import type { FaultLogger } from "../../connection/platform.js";
import type { KeptClient, SessionKeep } from "../../connection/session-keep.js";
import { ignoreRejection } from "../../shared/deferred.js";
import { checkFunction } from "../../shared/option-checks.js";

export class KeepWatch {
  readonly keep: SessionKeep;
  readonly #logger: FaultLogger | null;
  readonly #unwatch: () => unknown;
  /** Null before `attach`. */
  #client: KeptClient | null = null;
  #isSuspended = false;

  /**
   * @throws InvalidArgumentError if `watch` does not return a function
   * @throws what `watch` throws: the keep is in use
   */
  constructor(keep: SessionKeep, logger: FaultLogger | null) {
    this.keep = keep;
    this.#logger = logger;
    const unwatch: unknown = keep.watch({
      suspend: () => {
        this.#isSuspended = true;
        this.#client?.suspend();
      },
      resume: () => {
        this.#isSuspended = false;
        this.#client?.resume();
      },
    });
    ignoreRejection(unwatch);
    checkFunction("session.keep.watch()", unwatch);
    this.#unwatch = unwatch as () => unknown; // A function, as just checked.
  }

  /** Whether the client is about to stop. */
  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  attach(client: KeptClient): void {
    this.#client = client;
  }

  stop(): void {
    callSafely(this.#unwatch, (error) =>
      this.#logger?.warn("the session's keep failed to stop watching", { error }),
    );
  }
}
