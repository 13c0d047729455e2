// `keepalive()`: sends an application's message at intervals. Some servers require one, and drop clients that do not send
// it even if they answer every ping.

import { toBytes } from "../connection/arguments.js";
import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { requireOptions, type OptionNames } from "../shared/option-names.js";
import { checkFunction, checkSignal, invalidArgument, requireDuration } from "../shared/option-checks.js";
import { PingGrid } from "../heartbeat/ping-grid.js";
import { sleepUntil } from "./sleep.js";

/** Options of `keepalive()`. */
export interface KeepaliveOptions {
  /** Milliseconds between two messages, on a fixed grid that starts with the call. */
  readonly interval: number;
  /** Returns the message: a string is sent as text, bytes as binary. `n` counts the messages, from 0. */
  readonly message: (n: number) => string | Uint8Array;
  /** Ends the keepalive: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
}

const KEEPALIVE_OPTIONS: OptionNames<KeepaliveOptions> = { interval: true, message: true, signal: true };

/**
 * Unlike the option `pingInterval`, which sends Ping frames and checks that the peer answers, `keepalive()` sends data
 * messages of the application and expects no answer. Use it for servers that require such messages; `pingInterval`
 * detects dead peers.
 *
 * Sends a message every `interval` milliseconds until the connection ends, and then resolves, however it ended. The
 * first message is sent at once. While a message waits for a full write buffer, and while a server's session has no
 * socket, no other is created: missed slots are skipped, so messages neither pile up nor burst.
 *
 * @param connection the connection to send on
 * @param options what to send, and how often, in milliseconds
 * @throws any error that `message` throws; sending stops, and the connection stays open
 * @throws InvalidArgumentError for an invalid interval, or a message that is neither a string nor bytes
 */
export async function keepalive(connection: Connection, options: KeepaliveOptions): Promise<void> {
  requireOptions("keepalive()", options, KEEPALIVE_OPTIONS);
  const interval = requireDuration("interval", options.interval);
  const signal = checkSignal(options.signal);
  const { message } = options;
  checkFunction("message", message);
  try {
    await sendOnGrid(connection, interval, (n) => checkMessage(message(n)), signal);
  } catch (error) {
    // Only the end of this connection resolves; `message` may throw the ConnectionClosed of another one.
    if (!connection.signal.aborted || error !== connection.signal.reason) throw error;
  }
}

async function sendOnGrid(
  connection: Connection,
  interval: number,
  message: KeepaliveOptions["message"],
  signal: AbortSignal | null,
): Promise<never> {
  const { runtime, transport } = coreOf(connection);
  const { clock } = runtime;
  const grid = new PingGrid(clock.now(), interval);
  for (let n = 0; ;) {
    connection.signal.throwIfAborted();
    signal?.throwIfAborted();
    // A session without a socket would keep the messages for the next one.
    if (transport.session?.socket !== null) await connection.send(message(n++), { signal });
    const now = clock.now();
    if (grid.isDue(now)) grid.advance(now);
    await sleepUntil(grid.nextAt, connection, signal);
  }
}

/** Rejects values that TypeScript forbids, such as the promise of an async function. */
function checkMessage(message: unknown): string | Uint8Array {
  if (typeof message === "string") return message;
  const bytes = toBytes(message);
  if (bytes !== null) return bytes;
  throw invalidArgument("message()", "a string or bytes", message);
}
