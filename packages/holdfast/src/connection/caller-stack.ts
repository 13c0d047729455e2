// Adds the caller's line to the stack of an error that arises later, in an event of the socket. Capturing a stack with
// each call would cost as much as the call. But inside an async function whose promise is awaited, engines can list the
// functions that await it, so that only a failure costs anything.

import { ignore } from "../shared/deferred.js";
import { HoldfastError } from "../shared/errors.js";

/**
 * Rejects with `error`, whose stack then shows the functions that await it. Pass the result to the `resolve` of the
 * promise that they await.
 *
 * @param quiet that promise, if its rejection may stay unhandled
 */
export async function rejectToCaller(error: unknown, quiet: Promise<unknown> | null = null): Promise<never> {
  // By the second turn, the awaited promise follows this one, so the engine can find the callers.
  await Promise.resolve();
  await Promise.resolve();
  addCaller(error);
  // Not earlier: the engine finds the callers only while nothing else follows the promise.
  quiet?.catch(ignore);
  throw error;
}

/**
 * How many callers the stack of an error names at most. The error of a connection's end may have thousands: each line of
 * an `await Promise.all(pings)` is another one.
 */
const MAX_CALLERS = 10;

/** The number of callers that the stack of an error names. */
const named = new WeakMap<HoldfastError, number>();

/** Call it in an async function that is awaited. Returns the error; does not change foreign errors. */
export function addCaller(error: unknown): unknown {
  try {
    if (error instanceof HoldfastError) nameCallers(error);
  } catch {
    // The reason of a signal may be anything: a revoked Proxy, or an error that is frozen.
  }
  return error;
}

function nameCallers(error: HoldfastError): void {
  const callers = named.get(error) ?? 0;
  if (callers === MAX_CALLERS) return;
  const { captureStackTrace } = Error as { captureStackTrace?: (target: object, above: unknown) => void };
  if (captureStackTrace === undefined) return;
  const here: { stack?: string } = {};
  captureStackTrace(here, addCaller);
  const frames = (here.stack ?? "").split("\n").filter((line) => line.startsWith("    at async "));
  if (frames.length === 0) return;
  const before = callers === 0 ? `${error.name}: ${error.message}` : (error.stack ?? "");
  const others = frames.filter((frame) => !before.includes(frame));
  if (others.length === 0) return;
  error.stack = [before, ...others].join("\n");
  named.set(error, callers + 1);
}
