// Options of a persistent connection, in addition to those of its connections and of reconnecting.

import type { Connection } from "../../connection/connection.js";
import { checkOpenTimeout } from "../../connection/handshake-options.js";
import {
  checkChoice,
  checkDuration,
  checkFunction,
  invalidArgument,
  requireDuration,
} from "../../shared/option-checks.js";
import { checkQueue } from "../../shared/queue-limits.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";
import type { SessionCarrierSettings } from "../../connection/session-carrier.js";
import type { SessionKeep } from "../../connection/session-keep.js";
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
  /**
   * The treatment of messages while there is no connection: they wait (`"queue"`), or `send()` rejects (`"reject"`).
   * @default "queue"
   */
  readonly offline?: "queue" | "reject" | undefined;
  /**
   * The limit of the queue of messages to send: a number of messages, or messages and bytes; null for no limit. Strings
   * count their characters. @default { messages: 1024, bytes: 1048576 }
   */
  readonly queue?:
    | number
    | { readonly messages?: number | null | undefined; readonly bytes?: number | null | undefined }
    | null
    | undefined;
  /** When the queue is full, the new message fails (`"fail"`), or the oldest are dropped. @default "fail" */
  readonly overflow?: "drop-oldest" | "fail" | undefined;
  /** Milliseconds that a message may wait to be sent; null for no limit. @default null */
  readonly timeToLive?: number | null | undefined;
  /**
   * Called with each new connection, and awaited. Use it to send messages that must precede the queued ones, such as a
   * login or subscriptions, on `connection`, and to await answers with `connection.recv()`. If it throws, the
   * connection ends and the attempt counts as failed: `retryable` decides whether another one follows. The same happens
   * if it does not settle within `openTimeout`; the error is then a TooSlowError.
   */
  readonly onOpen?: ((connection: Connection, context: OpenContext) => unknown) | undefined;
  /** Milliseconds that the server may take to answer after `probe()`. @default 5000 */
  readonly probeTimeout?: number | undefined;
  /**
   * A session: messages survive reconnects, in both directions, if the server has `sessions` (docs/sessions.md). True for
   * the defaults. Otherwise `session` of the persistent connection stays null. `onOpen` is called for each new session,
   * and not when one is resumed. @default false
   */
  readonly session?: SessionOptions | boolean | null | undefined;
}

/** Options of a client's session. */
export interface SessionOptions {
  /** The messages and bytes that may be unconfirmed; more wait. @default { messages: 1024, bytes: 262144 } */
  readonly window?:
    { readonly messages?: number | undefined; readonly bytes?: number | undefined } | undefined;
  /** Milliseconds within which received messages are acknowledged. @default 100 */
  readonly ackDelay?: number | undefined;
  /**
   * Keeps the session across a reload of the page, or a restart of the client: `sessionStorageKeep()` in a page. One keep
   * serves one persistent connection at a time. @default none
   */
  readonly keep?: SessionKeep | null | undefined;
}

const SESSION_OPTIONS: OptionNames<SessionOptions> = { window: true, ackDelay: true, keep: true };
const WINDOW_OPTIONS: OptionNames<NonNullable<SessionOptions["window"]>> = { messages: true, bytes: true };

export const PERSISTENT_OPTIONS: OptionNames<PersistentOptions> = {
  offline: true,
  queue: true,
  overflow: true,
  timeToLive: true,
  onOpen: true,
  probeTimeout: true,
  session: true,
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
  /** Null for no session. */
  readonly session:
    (Pick<SessionCarrierSettings, "ackDelay" | "window"> & { readonly keep: SessionKeep | null }) | null;
}

/** @throws InvalidArgumentError for an invalid option */
export function checkPersistentOptions(
  options: PersistentOptions & {
    readonly openTimeout?: number | null | undefined;
    readonly linkProtocol?: unknown;
    readonly heartbeat?: unknown;
  },
  platform: Platform = SILENT_PLATFORM,
): PersistentSettings {
  if (options.onOpen !== undefined) checkFunction("onOpen", options.onOpen);
  const { messages, bytes } = checkQueue("queue", options.queue);
  const session = checkSession(options.session);
  const { linkProtocol, heartbeat = null } = options;
  if (session !== null && linkProtocol === false)
    throw invalidArgument("linkProtocol", "true, since `session` uses the link protocol", linkProtocol);
  if (session !== null && heartbeat !== null)
    throw invalidArgument("heartbeat", "no value, since `session` uses the link protocol", heartbeat);
  return {
    session,
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

function checkSession(value: unknown): PersistentSettings["session"] {
  if (value === undefined || value === null || value === false) return null;
  if (value !== true && typeof value !== "object")
    throw invalidArgument("session", "true, an object of session options, or null", value);
  const options: SessionOptions = value === true ? {} : value;
  checkOptionNames("session", options, SESSION_OPTIONS);
  const window: unknown = options.window ?? {};
  if (typeof window !== "object" || window === null)
    throw invalidArgument("session.window", "an object with `messages` and `bytes`", window);
  checkOptionNames("session.window", window, WINDOW_OPTIONS);
  const { messages, bytes }: { readonly messages?: unknown; readonly bytes?: unknown } = window;
  return {
    window: {
      messages: positive("session.window.messages", messages, 1024),
      bytes: positive("session.window.bytes", bytes, 256 * 1024),
    },
    ackDelay: options.ackDelay === undefined ? 100 : requireDuration("session.ackDelay", options.ackDelay),
    keep: checkKeep(options.keep),
  };
}

function checkKeep(keep: SessionKeep | null | undefined): SessionKeep | null {
  if (keep === undefined || keep === null) return null;
  const names = ["load", "save", "clear", "watch"] as const;
  if (typeof keep === "object" && names.every((name) => typeof keep[name] === "function")) return keep;
  throw invalidArgument("session.keep", "an object with `load`, `save`, `clear` and `watch`", keep);
}

function positive(name: string, value: unknown, byDefault: number): number {
  if (value === undefined) return byDefault;
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw invalidArgument(name, "a positive whole number", value);
}
