// Calls of an engine, as its tests make them.

import assert from "node:assert/strict";
import type { EngineUnavailableError } from "../../build/index.js";
import type { Engine, HistoryLimits, Publication, Published } from "../../build/topics/engine/engine.js";

/** Without history, unless `more` has limits. */
export function publication(
  topic: string,
  data: string | Uint8Array,
  more: Partial<Publication> = {},
): Publication {
  return { topic, data, id: null, history: null, compress: true, ...more };
}

export async function publishAll(
  engine: Engine,
  batch: readonly Publication[],
): Promise<readonly Published[]> {
  const results = await engine.publish(batch);
  return results.map((result) => {
    if (result instanceof Error) throw result;
    return result;
  });
}

/** Returns a function that publishes one message, with this history unless `more` has another. */
export function publishingWith(history: HistoryLimits) {
  return async (
    engine: Engine,
    topic: string,
    data: string,
    more: Partial<Publication> = {},
  ): Promise<Published> => (await publishAll(engine, [publication(topic, data, { history, ...more })]))[0];
}

/** A busy machine runs timers so many milliseconds late. */
export const BUSY = 8_000;

/** Returns a function that returns the error of a call, which has to come within so many milliseconds. */
export function failureWithin(milliseconds: number) {
  return async (call: () => Promise<unknown>): Promise<EngineUnavailableError> => {
    const start = performance.now();
    try {
      await call();
    } catch (error) {
      const took = performance.now() - start;
      assert.ok(took <= milliseconds + BUSY, `It took ${took} ms`);
      assert.equal((error as Error).name, "EngineUnavailableError", String(error));
      return error as EngineUnavailableError;
    }
    throw new Error("Expected an error");
  };
}

export function ignore(): void {
  // Nothing is to be reported.
}
