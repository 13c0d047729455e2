// Runs a synchronous function as an engine's asynchronous method.

/** Calls the function now. Returns a promise of its result, which rejects if it throws. */
export function attempt<Result>(act: () => Result): Promise<Result> {
  return new Promise((resolve) => resolve(act()));
}
