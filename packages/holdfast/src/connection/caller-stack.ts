// The caller's line in the stack of an error that arises later, in an event of the socket. Capturing a stack with each
// call would cost as much as the call. But inside an async function whose promise somebody awaits, engines find the
// functions that wait, when the error is on its way: then only a failure costs anything.

import { HoldfastError } from "../shared/errors.js";

/**
 * Rejects with `error` itself, with those who await it in its stack. To be given to the `resolve` of the promise that
 * they await.
 *
 * @param quiet that promise, where nobody has to await it: its rejection is handled then
 */
export async function rejectToCaller(error: unknown, quiet: Promise<unknown> | null = null): Promise<never> {
  // By the second turn the promise that is resolved with this one follows it, and the way to the callers is known.
  await Promise.resolve();
  await Promise.resolve();
  addCaller(error);
  // Not before: the way to the callers is known while they alone follow the promise.
  quiet?.catch(ignore);
  throw error;
}

/** Errors whose stack names a caller. That of a connection's end may have several. */
const named = new WeakSet<HoldfastError>();

function ignore(): void {
  // Nobody has to know.
}

/** To be called in an async function that is awaited. Returns the error; foreign ones are left alone. */
export function addCaller(error: unknown): unknown {
  if (!(error instanceof HoldfastError)) return error;
  const { captureStackTrace } = Error as { captureStackTrace?: (target: object, above: unknown) => void };
  if (captureStackTrace === undefined) return error;
  const here: { stack?: string } = {};
  captureStackTrace(here, addCaller);
  const frames = (here.stack ?? "").split("\n").filter((line) => line.startsWith("    at async "));
  if (frames.length === 0) return error;
  const stack = error.stack ?? "";
  if (named.has(error)) {
    const news = frames.filter((frame) => !stack.includes(frame));
    if (news.length > 0) error.stack = [stack, ...news].join("\n");
  } else {
    named.add(error);
    error.stack = [`${error.name}: ${error.message}`, ...frames].join("\n");
  }
  return error;
}
