// Promises that settle in time. A deadline is in `runningTime()`.

import { runningTime } from "./running-time.js";

/** Milliseconds within which the engine answers, a little less than the 2 s that it promises. */
export const TIMEOUT = 1_900;

/** Milliseconds for calls of several steps. A step that is late rejects first, because its error says more. */
export const CALL_TIMEOUT = 1_950;

/** Milliseconds for NATS' client, whose time-outs go on while this process stands still: later than any deadline. */
export const CLIENT_TIMEOUT = 10_000;

export function deadlineFromNow(milliseconds: number = TIMEOUT): number {
  return runningTime() + milliseconds;
}

/** Rejects with what `onLate` returns at the deadline. */
export function before<Result>(
  deadline: number,
  promise: Promise<Result>,
  onLate: () => Error,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const left = deadline - runningTime();
      timer = setTimeout(() => (deadline > runningTime() ? wait() : reject(onLate())), Math.max(0, left));
    };
    wait();
    promise.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds));
}
