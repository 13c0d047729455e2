// Promises that settle in time.

/** Milliseconds within which the engine answers, a little less than the 2 s that it promises. */
export const TIMEOUT = 1_900;

export function deadlineFromNow(milliseconds: number = TIMEOUT): number {
  return performance.now() + milliseconds;
}

/** Rejects with what `onLate` returns at the deadline. */
export function before<Result>(
  deadline: number,
  promise: Promise<Result>,
  onLate: () => Error,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(onLate()), Math.max(0, deadline - performance.now()));
    promise.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds));
}
