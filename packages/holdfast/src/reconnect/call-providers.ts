// Calls the functions that give URL, headers and subprotocols of an attempt. They are the application's: they may throw,
// answer late or never, and must not hold up an abort.

import type { Runtime } from "../connection/runtime.js";
import { Alarm } from "../connection/timer-queue.js";
import { HandshakeError, HoldfastError } from "../shared/errors.js";
import { errorOf, thrownText } from "../shared/thrown.js";
import type { ValueOrFactory } from "./target.js";

export interface ProviderCall {
  readonly runtime: Runtime;
  readonly attempt: number;
  /** Of the attempt. */
  readonly signal: AbortSignal;
  /** Milliseconds for all functions together; null for no limit. */
  readonly timeout: number | null;
}

type ProvidedValues<Values> = { readonly [Name in keyof Values]: ValueOrFactory<Values[Name]> };

/**
 * The values, in the order of their names: each function is called when the one before has answered.
 *
 * @throws HandshakeError, an error of this library that a function threw, or the reason of the signal
 */
export async function callProviders<Values extends object>(
  provided: ProvidedValues<Values>,
  { runtime, attempt, signal, timeout }: ProviderCall,
): Promise<Values> {
  const values: Partial<Values> = {};
  const aborter = new AbortController();
  const onAbort = (): void => aborter.abort(signal.reason);
  const alarm = new Alarm({ onAlarm: () => aborter.abort(late(pending, attempt, timeout)) });
  let pending = "";
  signal.addEventListener("abort", onAbort);
  try {
    for (const name of Object.keys(provided) as (keyof Values & string)[]) {
      const value = provided[name];
      if (typeof value !== "function") {
        values[name] = value as Values[typeof name]; // A value that is itself a function is no URL, header or subprotocol.
        continue;
      }
      if (pending === "" && timeout !== null) runtime.timers.set(alarm, runtime.clock.now() + timeout);
      pending = name;
      const provider = value as (attempt: number, signal: AbortSignal) => Values[typeof name];
      values[name] = await callOne(name, provider, attempt, aborter.signal);
    }
  } finally {
    runtime.timers.cancel(alarm);
    signal.removeEventListener("abort", onAbort);
  }
  return values as Values; // Each name has its value by now.
}

async function callOne<Value>(
  name: string,
  provider: (attempt: number, signal: AbortSignal) => Value | PromiseLike<Value>,
  attempt: number,
  signal: AbortSignal,
): Promise<Value> {
  signal.throwIfAborted();
  try {
    return await untilAborted(() => provider(attempt, signal), signal);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (errorOf(cause) instanceof HoldfastError) throw cause;
    throw failure(
      `The function that gives \`${name}\` failed for attempt ${attempt}: ${thrownText(cause)}`,
      cause,
    );
  }
}

/** A function that does not answer must not hold up an abort; one that answers after it is ignored. */
function untilAborted<Value>(call: () => Value | PromiseLike<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    new Promise<Value>((resolveCall) => resolveCall(call()))
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function late(name: string, attempt: number, timeout: number | null): HandshakeError {
  return failure(
    `Expected the function that gives \`${name}\` to answer within ${timeout} ms (openTimeout), got no answer for attempt ${attempt}. Have it heed its signal, or raise \`openTimeout\`.`,
    undefined,
  );
}

function failure(message: string, cause: unknown): HandshakeError {
  return new HandshakeError(message, { failure: "aborted", code: "ERR_HOLDFAST_PROVIDER", cause });
}
