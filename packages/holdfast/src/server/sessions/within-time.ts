// Bounds in time what the application's functions and stores take, so that a call that never settles holds nothing.

import { ignore } from "../../shared/deferred.js";
import type { Clock } from "../../connection/ports.js";
import { HoldfastError } from "../../shared/errors.js";

/** Milliseconds. */
export const CALL_TIMEOUT = 10_000;

/**
 * Rejects if `call` throws or rejects, or if it has not settled within `CALL_TIMEOUT`; `onLate` is called once it settles
 * later. `what` is for the error.
 */
export async function withinTime<Result>(
  call: () => Result | PromiseLike<Result>,
  clock: Clock,
  what: string,
  onLate: () => void = ignore,
): Promise<Result> {
  const result = call();
  let cancel: () => void = ignore;
  const timeout = new Promise<never>((_, reject) => {
    const onTimeout = (): void => {
      const message = `Expected ${what} to answer within ${CALL_TIMEOUT} ms, got no answer. Check it for a call that never settles.`;
      reject(new HoldfastError(message));
      void Promise.resolve(result).then(onLate, onLate);
    };
    // In the background: a closed server does not keep the process alive for a store that does not answer.
    cancel = clock.setTimer(CALL_TIMEOUT, onTimeout, true);
  });
  try {
    return await Promise.race([result, timeout]);
  } finally {
    cancel();
  }
}
