// Sends one message to many connections: encoded once, compressed once, and stored once.

import { toBytes, type Bytes } from "../connection/arguments.js";
import { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { defaultSlowLimit, TOO_SLOW, type SlowPolicy } from "../connection/sending/slow-policy.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import {
  checkBoolean,
  checkChoice,
  checkSize,
  describe,
  invalidArgument,
  tagOf,
} from "../shared/option-checks.js";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import { InvalidArgumentError } from "../shared/errors.js";
import { TextBytes } from "../shared/text-bytes.js";
import { isValidText } from "../protocol/message/utf8.js";

/** Options of `broadcast()`. */
export interface BroadcastOptions {
  /** Connections to leave out, such as the sender of the message. */
  readonly except?: Connection | ReadonlySet<Connection> | null | undefined;
  /** The treatment of receivers that do not keep up. @default "buffer" */
  readonly slow?: SlowPolicy | undefined;
  /** A receiver does not keep up if it has this many unsent bytes. @default 1 MiB for `"buffer"`, 64 KiB otherwise */
  readonly limit?: number | null | undefined;
  /** Compress the message for connections that negotiated compression, if it is large enough. @default true */
  readonly compress?: boolean | undefined;
}

const BROADCAST_OPTIONS: OptionNames<BroadcastOptions> = {
  except: true,
  slow: true,
  limit: true,
  compress: true,
};

/** The number of receivers per outcome. */
export interface BroadcastResult {
  readonly sent: number;
  readonly skipped: number;
  readonly closed: number;
  /** Receivers that were closing or closed already. */
  readonly notOpen: number;
  /** The receivers that were skipped or closed. A skipped receiver may need the complete state later. */
  readonly slow: readonly Connection[];
}

/**
 * Sends a message to all of the connections: a string or `TextBytes` as text, other bytes as binary. You may change the
 * bytes afterwards. The call does not wait: `limit` bounds the unsent bytes of each receiver, and all receivers share
 * one copy of the message. Client connections get an individual copy, because their frames are masked (RFC 6455 section
 * 5.3).
 *
 * @param connections the receivers, for example `server.connections`
 * @param data one complete message: a string or bytes
 * @param options receivers to leave out, and what to do with slow receivers
 * @throws InvalidArgumentError
 */
export function broadcast(
  connections: Iterable<Connection>,
  data: string | Bytes,
  options: BroadcastOptions = {},
): BroadcastResult {
  checkIterable(connections);
  checkOptionNames("broadcast()", options, BROADCAST_OPTIONS);
  const { except, slow, limit, compress } = checkBroadcastOptions(options);
  const message = nodeRuntime().share(checkData(data), compress);
  const slowReceivers: Connection[] = [];
  let sent = 0;
  let notOpen = 0;
  for (const connection of connections) {
    if (!(connection instanceof Connection)) throw notAConnection(connection);
    if (except?.has(connection) === true) continue;
    switch (coreOf(connection).trySend(message, limit)) {
      case "sent":
        sent++;
        break;
      case "not-open":
        notOpen++;
        break;
      case "slow":
        slowReceivers.push(connection);
    }
  }
  const isClosing = slow !== "skip";
  if (isClosing)
    for (const connection of slowReceivers)
      coreOf(connection).closeWithCause("local-close", TOO_SLOW, null, true);
  return {
    sent,
    skipped: isClosing ? 0 : slowReceivers.length,
    closed: isClosing ? slowReceivers.length : 0,
    notOpen,
    slow: slowReceivers,
  };
}

interface BroadcastSettings {
  readonly except: { has(connection: Connection): boolean } | null;
  readonly slow: SlowPolicy;
  readonly limit: number;
  readonly compress: boolean;
}

function checkBroadcastOptions(options: BroadcastOptions): BroadcastSettings {
  const slow = checkChoice("slow", options.slow, ["skip", "close", "buffer"], "buffer");
  return {
    except: checkExcept(options.except),
    slow,
    limit: checkSize("limit", options.limit, defaultSlowLimit(slow)) ?? Infinity,
    compress: checkBoolean("compress", options.compress, true),
  };
}

function checkIterable(value: unknown): void {
  if (typeof value === "object" && value !== null && Symbol.iterator in value) return;
  throw invalidArgument("connections", "an iterable of Connections", value);
}

function notAConnection(value: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`Expected \`connections\` to hold Connections, got ${describe(value)}.`);
}

function checkExcept(value: unknown): BroadcastSettings["except"] {
  if (value === undefined || value === null) return null;
  if (value instanceof Connection) return { has: (connection) => connection === value };
  if (value instanceof Set || tagOf(value) === "Set") return value as Set<Connection>;
  throw invalidArgument("except", "a Connection or a Set of them", value);
}

function checkData(data: unknown): string | Uint8Array {
  if (typeof data === "string") return data;
  const bytes = toBytes(data);
  if (bytes === null) {
    throw new InvalidArgumentError(`Expected \`data\` to be a string or bytes, got ${describe(data)}.`);
  }
  if (!(data instanceof TextBytes)) return bytes;
  if (isValidText(data)) return data;
  throw new InvalidArgumentError("Expected `data` to be UTF-8, got other bytes.");
}
