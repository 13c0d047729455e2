// Turns a function that answers at once into one that answers as an engine elsewhere does.

/** Calls the function now; its result is promised, and what it throws is the reason of a rejection. */
export function attempt<Result>(act: () => Result): Promise<Result> {
  return new Promise((resolve) => resolve(act()));
}
