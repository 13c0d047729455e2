// Options of a persistent connection, beside those of its connections and of coming back.

import type { Connection } from "../../connection/connection.js";
import { checkOpenTimeout } from "../../connection/handshake-options.js";
import {
  checkChoice,
  checkDuration,
  checkFunction,
  checkQueue,
  requireDuration,
} from "../../shared/option-checks.js";
import type { OptionNames } from "../../shared/option-names.js";
import { bindToContext, SILENT_PLATFORM, type Platform } from "../../connection/platform.js";

/** What `onOpen` is told of the connection. */
export interface OpenContext {
  /** 1, and one more for each attempt in a row that failed or whose connection did not stay up. */
  readonly attempt: number;
  /** Whether this is the first connection of all: afterwards it is a reconnection, and messages may have been missed. */
  readonly isFirst: boolean;
  /** Aborts when the connection ends. */
  readonly signal: AbortSignal;
}

/** How a persistent connection sends. Durations are milliseconds, sizes are bytes. */
export interface PersistentOptions {
  /** What becomes of a message while there is no connection: it waits, or `send()` rejects. @default "queue" */
  readonly offline?: "queue" | "reject";
  /**
   * How many messages, and how many bytes of them, may wait to be sent: a number of messages, or both; null for no
   * limit. A string counts its characters. @default { messages: 1024, bytes: 1048576 }
   */
  readonly queue?: number | { readonly messages?: number | null; readonly bytes?: number | null } | null;
  /** What gives way when the queue is full: the new message, or those that wait longest. @default "fail" */
  readonly overflow?: "drop-oldest" | "fail";
  /** How long a message may wait to be sent; null for as long as it takes. @default null */
  readonly timeToLive?: number | null;
  /**
   * Called with each new connection, and awaited: what has to go out before everything that waits, such as a login or
   * subscriptions, is sent here, on `connection`, and answers can be awaited with `connection.recv()`. What it throws
   * ends the connection, and counts as a failed attempt: `retryable` decides whether another one follows. So does one
   * that has not settled after `openTimeout`: the error is a TooSlowError.
   */
  readonly onOpen?: ((connection: Connection, context: OpenContext) => unknown) | undefined;
  /** How long a server may take to answer after `probe()`. @default 5000 */
  readonly probeTimeout?: number;
}

export const PERSISTENT_OPTIONS: OptionNames<PersistentOptions> = {
  offline: true,
  queue: true,
  overflow: true,
  timeToLive: true,
  onOpen: true,
  probeTimeout: true,
};

export interface SendingSettings {
  readonly offline: "queue" | "reject";
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly overflow: "drop-oldest" | "fail";
  readonly timeToLive: number | null;
}

export interface PersistentSettings {
  readonly sending: SendingSettings;
  readonly onOpen: ((connection: Connection, context: OpenContext) => unknown) | null;
  readonly probeTimeout: number;
  /** For `onOpen`; null for no limit. */
  readonly openTimeout: number | null;
}

/** @throws InvalidArgumentError that names the option, what was expected and what came */
export function checkPersistentOptions(
  options: PersistentOptions & { readonly openTimeout?: number | null | undefined },
  platform: Platform = SILENT_PLATFORM,
): PersistentSettings {
  if (options.onOpen !== undefined) checkFunction("onOpen", options.onOpen);
  const { messages, bytes } = checkQueue("queue", options.queue);
  return {
    sending: {
      offline: checkChoice("offline", options.offline, ["queue", "reject"], "queue"),
      maxMessages: messages,
      maxBytes: bytes,
      overflow: checkChoice("overflow", options.overflow, ["fail", "drop-oldest"], "fail"),
      timeToLive: checkDuration("timeToLive", options.timeToLive, null),
    },
    onOpen: options.onOpen === undefined ? null : bindToContext(platform, options.onOpen),
    openTimeout: checkOpenTimeout(options.openTimeout),
    probeTimeout:
      options.probeTimeout === undefined ? 5_000 : requireDuration("probeTimeout", options.probeTimeout),
  };
}
