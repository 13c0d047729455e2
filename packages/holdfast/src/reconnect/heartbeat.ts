// `heartbeat()` and `withHeartbeat()`: recipes for code that needs its own limit on the peer's answer time, in addition
// to the keepalive that every connection has.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { quietly } from "../shared/deferred.js";
import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { requireOptions, type OptionNames } from "../shared/option-names.js";
import { checkFunction, checkSignal, requireDuration } from "../shared/option-checks.js";
import { sleepUntil } from "./sleep.js";

/** Options of `heartbeat()` and `withHeartbeat()`. */
export interface HeartbeatOptions {
  /**
   * Milliseconds that each pong may take, counted from the ping; null to wait as long as the connection lives. Time in
   * which this process did not run or did not read does not count.
   */
  readonly timeout: number | null;
  /** Milliseconds from a pong to the next ping. */
  readonly interval: number;
  /** Ends the heartbeat: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
}

const HEARTBEAT_OPTIONS: OptionNames<HeartbeatOptions> = { timeout: true, interval: true, signal: true };

/**
 * Pings, waits for the pong, sleeps `interval`, and repeats. It never resolves. The first ping is sent at once. The
 * heartbeat does not close the connection: the caller decides what to do with one that is too slow.
 *
 * While a server's session has no socket, the heartbeat waits for the next one.
 *
 * Await it, alone or in `Promise.race()`. If nobody awaits it, its failure goes unnoticed: it never ends the process.
 *
 * @param connection the connection to watch; its own keepalive may run at the same time
 * @param options how often to ping, and how long a pong may take, in milliseconds
 * @throws TooSlowError if a pong takes longer than `timeout`
 * @throws ConnectionClosed as soon as the connection ends, even during the sleep
 * @throws InvalidArgumentError for an invalid duration
 */
export function heartbeat(connection: Connection, options: HeartbeatOptions): Promise<never> {
  return quietly(checkAndRun(connection, options));
}

/**
 * Runs `body` together with a heartbeat, which stops when the body settles. The first of these settles the promise:
 *
 * - The body settles: with its value or its error.
 * - A pong takes longer than `timeout`: the body's signal aborts, and the promise rejects with the TooSlowError, both at
 *   once. It does not wait for a body that ignores the signal, and ignores its later outcome.
 * - The connection ends: the body's signal aborts with ConnectionClosed as its reason, and the promise settles as the
 *   body does. All calls of the body on the connection end then, and it can still read the messages received before. A
 *   loop over the messages of a connection that closes cleanly therefore ends without an error.
 *
 * If `options.signal` aborts, the effect is that of a TooSlowError, with the signal's reason.
 *
 * @param connection the connection to watch
 * @param options how often to ping, and how long a pong may take, in milliseconds
 * @param body the function to run; its signal aborts when it should stop
 * @throws TooSlowError if a pong takes longer than `timeout`
 * @throws InvalidArgumentError for an invalid duration, or a body that is not a function
 */
export async function withHeartbeat<T>(
  connection: Connection,
  options: HeartbeatOptions,
  body: (signal: AbortSignal) => PromiseLike<T> | T,
): Promise<T> {
  const { signal, ...times } = checkOptions(options);
  checkFunction("body", body);
  signal?.throwIfAborted();

  const heartbeatAborter = new AbortController();
  const bodyAborter = new AbortController();
  const onAbort = (): void => heartbeatAborter.abort(signal?.reason);
  watchAbort(signal, onAbort);

  let isOver = false;
  const beating = beat(connection, { ...times, signal: heartbeatAborter.signal });
  const working = callBody(body, bodyAborter.signal);
  const failing = beating.catch((error: unknown) => {
    if (isOver) return working; // The body has settled: the heartbeat was stopped, and nothing failed.
    bodyAborter.abort(error);
    if (error === endOf(connection)) return working;
    throw error;
  });
  try {
    return await Promise.race([working, failing]);
  } finally {
    isOver = true;
    heartbeatAborter.abort();
    unwatchAbort(signal, onAbort);
  }
}

interface HeartbeatSettings {
  readonly timeout: number | null;
  readonly interval: number;
  readonly signal: AbortSignal | null;
}

async function checkAndRun(connection: Connection, options: HeartbeatOptions): Promise<never> {
  return beat(connection, checkOptions(options));
}

async function beat(
  connection: Connection,
  { timeout, interval, signal }: HeartbeatSettings,
): Promise<never> {
  const { runtime, transport } = coreOf(connection);
  const { clock } = runtime;
  for (;;) {
    const socket = transport.session?.socket;
    try {
      if (socket !== null) await connection.ping(null, { timeout, signal });
    } catch (error) {
      // If the session has lost the socket, it goes on without it, or has ended: then the sleep rejects.
      if (transport.session?.socket === socket) throw error;
    }
    await sleepUntil(clock.now() + interval, connection, signal);
  }
}

/** Calls the body at once. An error thrown synchronously becomes a rejection. */
async function callBody<T>(
  body: (signal: AbortSignal) => PromiseLike<T> | T,
  signal: AbortSignal,
): Promise<T> {
  return body(signal);
}

/** The ConnectionClosed of a connection that has ended; null while it has not. */
function endOf({ signal }: Connection): unknown {
  return signal.aborted ? signal.reason : null;
}

function checkOptions(options: HeartbeatOptions): HeartbeatSettings {
  requireOptions("heartbeat()", options, HEARTBEAT_OPTIONS);
  return {
    timeout: options.timeout === null ? null : requireDuration("timeout", options.timeout),
    interval: requireDuration("interval", options.interval),
    signal: checkSignal(options.signal),
  };
}
