// Promises that their owner settles, and promises that nobody has to await.

/** A promise, with the functions that settle it. */
export class Deferred<Value = void> {
  readonly promise: Promise<Value>;
  resolve: (value: PromiseLike<Value> | Value) => void = ignore;
  reject: (error: unknown) => void = ignore;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** Returns the promise. If nobody awaits it, its rejection does not end the process. */
export function quietly<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(ignore);
  return promise;
}

/** For a value that should not be a promise: if it is one, its rejection does not end the process. */
export function ignoreRejection(value: unknown): void {
  Promise.resolve(value).catch(ignore);
}

/** A function for callers that need none. */
export function ignore(): void {
  // Nothing to do.
}
