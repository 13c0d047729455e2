// Calls the application's functions that return URL, headers and subprotocols of an attempt. They may throw, settle late
// or never, and must not delay an abort.

import type { Runtime } from "../connection/runtime.js";
import { Alarm } from "../connection/timer-queue.js";
import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { HandshakeError, HoldfastError } from "../shared/errors.js";
import { errorOf, thrownText } from "../shared/thrown.js";
import type { ValueOrFactory } from "./target.js";
import { withFullStop } from "../shared/full-stop.js";

export interface FactoryCall {
  readonly runtime: Runtime;
  readonly attempt: number;
  /** Aborts the attempt. */
  readonly signal: AbortSignal;
  /** Milliseconds for all functions together; null for no limit. */
  readonly timeout: number | null;
}

type ValuesOrFactories<Values> = { readonly [Name in keyof Values]: ValueOrFactory<Values[Name]> };

/**
 * Returns the values. Calls the functions one after another, in the order of the names.
 *
 * @throws HandshakeError, an error of this library that a function threw, or the signal's reason
 */
export async function callFactories<Values extends object>(
  valuesOrFactories: ValuesOrFactories<Values>,
  { runtime, attempt, signal, timeout }: FactoryCall,
): Promise<Values> {
  const values: Partial<Values> = {};
  const aborter = new AbortController();
  const onAbort = (): void => aborter.abort(signal.reason);
  const alarm = new Alarm({ onAlarm: () => aborter.abort(timeoutError(pending, attempt, timeout)) });
  let pending = "";
  signal.throwIfAborted();
  watchAbort(signal, onAbort);
  try {
    for (const name of Object.keys(valuesOrFactories) as (keyof Values & string)[]) {
      const value = valuesOrFactories[name];
      if (typeof value !== "function") {
        values[name] = value as Values[typeof name]; // URLs, headers and subprotocols are never functions.
        continue;
      }
      if (pending === "" && timeout !== null) runtime.timers.set(alarm, runtime.clock.now() + timeout);
      pending = name;
      const factory = value as (attempt: number, signal: AbortSignal) => Values[typeof name];
      values[name] = await callOne(name, factory, attempt, aborter.signal);
    }
  } finally {
    runtime.timers.cancel(alarm);
    unwatchAbort(signal, onAbort);
  }
  return values as Values; // The loop has set every name.
}

async function callOne<Value>(
  name: string,
  factory: (attempt: number, signal: AbortSignal) => Value | PromiseLike<Value>,
  attempt: number,
  signal: AbortSignal,
): Promise<Value> {
  signal.throwIfAborted();
  try {
    return await untilAborted(() => factory(attempt, signal), signal);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (errorOf(cause) instanceof HoldfastError) throw cause;
    throw failure(
      withFullStop(
        `The function that returns \`${name}\` failed for attempt ${attempt}: ${thrownText(cause)}`,
      ),
      cause,
    );
  }
}

/** Rejects at once on abort, even if the call is pending. A later result is ignored. */
function untilAborted<Value>(call: () => Value | PromiseLike<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    watchAbort(signal, onAbort);
    new Promise<Value>((resolveCall) => resolveCall(call()))
      .then(resolve, reject)
      .finally(() => unwatchAbort(signal, onAbort));
  });
}

function timeoutError(name: string, attempt: number, timeout: number | null): HandshakeError {
  return failure(
    `Expected the function that returns \`${name}\` to settle within ${timeout} ms (openTimeout), got no result for attempt ${attempt}. Make it stop when its signal aborts, or raise \`openTimeout\`.`,
    undefined,
  );
}

function failure(message: string, cause: unknown): HandshakeError {
  return new HandshakeError(message, { failure: "aborted", code: "ERR_HOLDFAST_PROVIDER", cause });
}
