// Heartbeats of the application's own making: some servers demand a certain message every so often, and drop who
// does not send it, however well pings are answered.

import { toBytes } from "../connection/arguments.js";
import { coreOf, type Connection } from "../connection/connection.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { checkFunction, checkSignal, invalidArgument, requireDuration } from "../shared/option-checks.js";
import { PingGrid } from "../heartbeat/ping-grid.js";
import { sleepUntil } from "./sleep.js";

/** For `keepalive()`. */
export interface KeepaliveOptions {
  /** Milliseconds between two messages, on a fixed grid that begins with the call. */
  readonly interval: number;
  /** Makes the message: a string is sent as text, bytes as binary. `n` counts the messages, from 0 on. */
  readonly message: (n: number) => string | Uint8Array;
  /** Ends it: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
}

const KEEPALIVE_OPTIONS: OptionNames<KeepaliveOptions> = { interval: true, message: true, signal: true };

/**
 * Sends a message of the application every `interval` milliseconds, until the connection ends; resolves then, however
 * it ended. The first goes out at once. While a message waits for a full write buffer no other is made: the slots that
 * it misses are skipped, so that nothing piles up and nothing bursts.
 *
 * It says that we are alive, and does not ask whether the peer is: that is what pings are for.
 *
 * @param connection the one to send on
 * @param options what to send, and how often, in milliseconds
 * @throws whatever `message` throws; nothing is sent any more, and the connection stays open
 * @throws InvalidArgumentError for an interval that is none, or a message that is neither a string nor bytes
 */
export async function keepalive(connection: Connection, options: KeepaliveOptions): Promise<void> {
  checkOptionNames("keepalive()", options, KEEPALIVE_OPTIONS);
  const interval = requireDuration("interval", options.interval);
  const signal = checkSignal(options.signal);
  const { message } = options;
  checkFunction("message", message);
  try {
    await sendOnGrid(connection, interval, (n) => checkMessage(message(n)), signal);
  } catch (error) {
    // Its own end, and not that of another connection that `message` may have asked.
    if (!connection.signal.aborted || error !== connection.signal.reason) throw error;
  }
}

async function sendOnGrid(
  connection: Connection,
  interval: number,
  message: KeepaliveOptions["message"],
  signal: AbortSignal | null,
): Promise<never> {
  const { clock } = coreOf(connection).runtime;
  const grid = new PingGrid(clock.now(), interval);
  for (let n = 0; ; n++) {
    connection.signal.throwIfAborted();
    signal?.throwIfAborted();
    await connection.send(message(n), { signal });
    const now = clock.now();
    if (grid.isDue(now)) grid.advance(now);
    await sleepUntil(grid.nextAt, connection, signal);
  }
}

/** What TypeScript lets nobody return, such as the promise of an async function, gets a sentence rather than a frame. */
function checkMessage(message: unknown): string | Uint8Array {
  if (typeof message === "string") return message;
  const bytes = toBytes(message);
  if (bytes !== null) return bytes;
  throw invalidArgument("message()", "a string or bytes", message);
}
