// The port to the process or page that the library runs in: async contexts, warnings, and the application's own errors.

import type { Logger } from "./ports.js";

/** An async context (`AsyncLocalStorage`), as captured. */
export interface AsyncContext {
  /** Calls `callback` in this context. */
  runInAsyncScope<This, Args extends unknown[], Result>(
    callback: (this: This, ...args: Args) => Result,
    thisArg: This,
    ...args: Args
  ): Result;
}

/** Logs errors of the application's own code. */
export type FaultLogger = Pick<Logger, "error" | "warn">;

export interface Platform {
  /** The async context of the caller; null where the platform has none. */
  captureContext(): AsyncContext | null;
  /** Warns the developer on the console. */
  warn(message: string, error: unknown): void;
  /** Where errors of the application's own code are printed when no logger is configured. */
  readonly faultLogger: FaultLogger | null;
}

/** Has no contexts and prints nothing. */
export const SILENT_PLATFORM: Platform = {
  captureContext: () => null,
  warn: () => undefined,
  faultLogger: null,
};

/** Returns a function that runs `callback` in the async context of this call, in whatever context it is called. */
export function bindToContext<Args extends unknown[], Result>(
  platform: Platform,
  callback: (...args: Args) => Result,
): (...args: Args) => Result {
  const context = platform.captureContext();
  if (context === null) return callback;
  const isolated = isolate(platform, callback);
  const bound = (...args: Args): Result => context.runInAsyncScope(isolated, undefined, ...args);
  originals.set(bound, callback);
  return bound;
}

/**
 * The function that was passed to `bindToContext()`, or the function itself. Each call of `bindToContext()` makes
 * another function.
 */
export function unbound(callback: object): object {
  return originals.get(callback) ?? callback;
}

const originals = new WeakMap<object, object>();

/**
 * Runs `callback` in the caller's context. If the callback enters another context (`enterWith`), the caller's stays the
 * same.
 */
export function isolate<Args extends unknown[], Result>(
  platform: Platform,
  callback: (...args: Args) => Result,
): (...args: Args) => Result {
  return (...args) => {
    const context = platform.captureContext();
    return context === null ? callback(...args) : context.runInAsyncScope(callback, undefined, ...args);
  };
}
