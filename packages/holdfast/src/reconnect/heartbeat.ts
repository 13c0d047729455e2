// The heartbeat as a recipe: for those who want a bound of their own on how long the peer may take to answer, beside
// the keepalive that every connection has.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { coreOf, type Connection } from "../connection/connection.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { checkFunction, checkSignal, requireDuration } from "../shared/option-checks.js";
import { sleepUntil } from "./sleep.js";

/** For `heartbeat()` and `withHeartbeat()`. */
export interface HeartbeatOptions {
  /**
   * Milliseconds that each pong may take, from the ping's call on; null to wait as long as the connection lives.
   * Time in which our own process did not run or did not read does not count.
   */
  readonly timeout: number | null;
  /** Milliseconds from a pong to the next ping. */
  readonly interval: number;
  /** Ends it: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
}

const HEARTBEAT_OPTIONS: OptionNames<HeartbeatOptions> = { timeout: true, interval: true, signal: true };

/**
 * Pings, waits for the pong, sleeps `interval`, and begins anew, until something ends it: it never resolves. The first
 * ping goes out at once. The connection stays as it is; what to do with one that is too slow is the caller's decision.
 *
 * Await it, alone or in `Promise.race()`: a heartbeat that nobody awaits tells nobody, and ends no process.
 *
 * @param connection the one to watch; its own keepalive may go on beside
 * @param options how often, and how long a pong may take, in milliseconds
 * @throws TooSlowError when a pong took longer than `timeout`
 * @throws ConnectionClosed when the connection ends, at once, also during the sleep
 * @throws InvalidArgumentError for durations that are none
 */
export function heartbeat(connection: Connection, options: HeartbeatOptions): Promise<never> {
  const beating = checkAndBeat(connection, options);
  beating.catch(ignore);
  return beating;
}

/**
 * Runs `body` beside a heartbeat, which stops when the body settles. Settles with whichever comes first:
 *
 * - The body settles: its value, or its error.
 * - A pong takes longer than `timeout`: the body's signal aborts, and the promise rejects with the TooSlowError, both at
 *   once. A body that ignores its signal is not waited for, and what becomes of it later is ignored.
 * - The connection ends: the body's signal aborts, with ConnectionClosed as its reason, and the body has the last word,
 *   since everything that it does with the connection ends by itself and what was received before can still be read.
 *   So a loop over the messages of a connection that closes as it should ends quietly here too.
 *
 * An abort of `options.signal` acts as a TooSlowError does, with the signal's reason.
 *
 * @param connection the one to watch
 * @param options how often, and how long a pong may take, in milliseconds
 * @param body what runs meanwhile; its signal aborts when it should stop
 * @throws TooSlowError when a pong took longer than `timeout`
 * @throws InvalidArgumentError for durations that are none, or a body that is no function
 */
export async function withHeartbeat<T>(
  connection: Connection,
  options: HeartbeatOptions,
  body: (signal: AbortSignal) => PromiseLike<T> | T,
): Promise<T> {
  const { signal, ...times } = checkOptions(options);
  checkFunction("body", body);
  signal?.throwIfAborted();

  const heart = new AbortController();
  const bodyAborter = new AbortController();
  const onAbort = (): void => heart.abort(signal?.reason);
  if (signal !== null) watchAbort(signal, onAbort);

  let isOver = false;
  const beating = beat(connection, { ...times, signal: heart.signal });
  const working = begin(body, bodyAborter.signal);
  const failing = beating.catch((error: unknown) => {
    if (isOver) return working; // Whatever the body left behind may go on: nothing failed.
    bodyAborter.abort(error);
    if (error === endOf(connection)) return working;
    throw error;
  });
  try {
    return await Promise.race([working, failing]);
  } finally {
    isOver = true;
    heart.abort();
    if (signal !== null) unwatchAbort(signal, onAbort);
  }
}

interface HeartbeatSettings {
  readonly timeout: number | null;
  readonly interval: number;
  readonly signal: AbortSignal | null;
}

async function checkAndBeat(connection: Connection, options: HeartbeatOptions): Promise<never> {
  return beat(connection, checkOptions(options));
}

/** The recipe itself. */
async function beat(
  connection: Connection,
  { timeout, interval, signal }: HeartbeatSettings,
): Promise<never> {
  const { clock } = coreOf(connection).runtime;
  for (;;) {
    await connection.ping(null, { timeout, signal });
    await sleepUntil(clock.now() + interval, connection, signal);
  }
}

/** Calls the body at once; what it throws at once is a rejection, too. */
async function begin<T>(body: (signal: AbortSignal) => PromiseLike<T> | T, signal: AbortSignal): Promise<T> {
  return body(signal);
}

/** The ConnectionClosed of a connection that has ended; null while it has not. */
function endOf({ signal }: Connection): unknown {
  return signal.aborted ? signal.reason : null;
}

function checkOptions(options: HeartbeatOptions): HeartbeatSettings {
  checkOptionNames("heartbeat()", options, HEARTBEAT_OPTIONS);
  return {
    timeout: options.timeout === null ? null : requireDuration("timeout", options.timeout),
    interval: requireDuration("interval", options.interval),
    signal: checkSignal(options.signal),
  };
}

function ignore(): void {
  // Who awaits the promise is told all the same.
}
