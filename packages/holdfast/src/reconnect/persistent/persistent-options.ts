// Options of a persistent connection, in addition to those of its connections and of reconnecting.

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

/** The second argument of `onOpen`. */
export interface OpenContext {
  /** 1, plus one for each consecutive earlier attempt that failed or whose connection did not stay open. */
  readonly attempt: number;
  /** True for the first connection. False after a reconnection: messages may have been missed. */
  readonly isFirst: boolean;
  /** Aborts when the connection ends. */
  readonly signal: AbortSignal;
}

/** Options of a persistent connection. Durations are milliseconds, sizes are bytes. */
export interface PersistentOptions {
  /** What happens to messages while there is no connection: they wait (`"queue"`), or `send()` rejects (`"reject"`). @default "queue" */
  readonly offline?: "queue" | "reject";
  /**
   * The limit of the queue of messages to send: a number of messages, or messages and bytes; null for no limit. Strings
   * count their characters. @default { messages: 1024, bytes: 1048576 }
   */
  readonly queue?: number | { readonly messages?: number | null; readonly bytes?: number | null } | null;
  /** When the queue is full, the new message fails (`"fail"`), or the oldest are dropped. @default "fail" */
  readonly overflow?: "drop-oldest" | "fail";
  /** Milliseconds that a message may wait to be sent; null for no limit. @default null */
  readonly timeToLive?: number | null;
  /**
   * Called with each new connection, and awaited. Use it to send messages that must precede the queued ones, such as a
   * login or subscriptions, on `connection`, and to await answers with `connection.recv()`. If it throws, the
   * connection ends and the attempt counts as failed: `retryable` decides whether another one follows. The same happens
   * if it does not settle within `openTimeout`; the error is then a TooSlowError.
   */
  readonly onOpen?: ((connection: Connection, context: OpenContext) => unknown) | undefined;
  /** Milliseconds that the server may take to answer after `probe()`. @default 5000 */
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

/** @throws InvalidArgumentError for an invalid option */
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
