// Options of a connection: checked once, at the edge, with a sentence for whoever got one wrong.

import type { Liveness } from "../heartbeat/signals.js";
import { InvalidArgument } from "../protocol/errors.js";
import type { TextForm } from "../protocol/message/text-form.js";
import type { DeflateSettings } from "../protocol/deflate/negotiation.js";
import { checkCompression, type CompressionOptions } from "./compression-options.js";
import { adaptLogger } from "./log/adapted-logger.js";
import { SILENT_PLATFORM, type FaultLogger, type Platform } from "./platform.js";
import { checkOptionNames, type OptionNames } from "./option-names.js";
import type { Logger } from "./ports.js";

/** Options that clients and servers share. Durations are milliseconds, sizes are bytes; null switches off. */
export interface ConnectionOptions {
  /** Time between two keepalive pings; null: no keepalive, no heartbeat, no latency. @default 20000 */
  readonly pingInterval?: number | null;
  /**
   * Time that a ping may stay unanswered before the peer is declared dead, counted from when the ping was queued;
   * null: measure and never judge. @default 20000
   */
  readonly pingTimeout?: number | null;
  /** What counts as life: `"pong"`s only, or any received byte (`"traffic"`). @default "pong" */
  readonly liveness?: Liveness;
  /** Time from the beginning of closing to the end of the socket. @default 10000 */
  readonly closeTimeout?: number | null;
  /** Answer pings (RFC 6455 section 5.5.2). @default true */
  readonly autoPong?: boolean;
  /** Longest message that is accepted; a longer one fails the connection with 1009. @default 1048576 */
  readonly maxMessageSize?: number | null;
  /**
   * What a text message is handed out as: a string, or its UTF-8 as `TextBytes`, which saves decoding it where it is
   * only passed on; `recvStream()` makes strings of it all the same. @default "string"
   */
  readonly text?: TextForm;
  /**
   * How many received messages, and how many bytes of them, may wait to be read before reading pauses:
   * a number of messages, or both. @default { messages: 1024, bytes: 1048576 }
   */
  readonly maxQueue?: number | { readonly messages?: number | null; readonly bytes?: number | null } | null;
  /** Unsent bytes from which on `send()` waits; null: it never does. @default 65536 */
  readonly writeLimit?: number | null;
  /** permessage-deflate (RFC 7692): true for good defaults. Used only where the peer agrees. @default false */
  readonly compression?: boolean | CompressionOptions;
  /**
   * Where to log (docs/logging.md). `info` and above are for production; a logger that shows `debug` gets a line for
   * each frame. With HOLDFAST_DEBUG=1 in the environment, everything appears on stderr as well. Null is silent; without
   * a logger, errors of the application's own code (a handler that throws) go to stderr, and nothing else.
   * @default undefined: errors of the application's own code on stderr
   */
  readonly logger?: Logger | null;
}

export const CONNECTION_OPTIONS: OptionNames<ConnectionOptions> = {
  pingInterval: true,
  pingTimeout: true,
  liveness: true,
  closeTimeout: true,
  autoPong: true,
  maxMessageSize: true,
  text: true,
  maxQueue: true,
  writeLimit: true,
  compression: true,
  logger: true,
};

const QUEUE_LIMITS: OptionNames<{ messages: number; bytes: number }> = { messages: true, bytes: true };

/** The options as a connection uses them: complete and valid. */
export interface ConnectionSettings {
  readonly pingInterval: number | null;
  readonly pingTimeout: number | null;
  readonly liveness: Liveness;
  readonly closeTimeout: number | null;
  readonly autoPong: boolean;
  readonly maxMessageSize: number | null;
  readonly text: TextForm;
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly writeLimit: number;
  readonly compression: DeflateSettings | null;
  readonly logger: Logger | null;
  /** Where errors of the application's own code go: to the logger, or to stderr where none is given; null for nowhere. */
  readonly faultLogger: FaultLogger | null;
}

/** @throws InvalidArgument that names the option, what was expected and what came */
export function checkConnectionOptions(
  options: ConnectionOptions,
  platform: Platform = SILENT_PLATFORM,
): ConnectionSettings {
  const pingInterval = checkDuration("pingInterval", options.pingInterval, 20_000);
  if (pingInterval === null && typeof options.pingTimeout === "number") {
    throw new InvalidArgument(
      `Expected no \`pingTimeout\` beside \`pingInterval: null\`, which sends no ping that could time out, got ${describe(options.pingTimeout)}`,
    );
  }
  const pingTimeout = checkDuration("pingTimeout", options.pingTimeout, 20_000);
  const queue = checkQueue("maxQueue", options.maxQueue);
  const logger = checkLogger(options.logger, platform);
  return {
    pingInterval,
    pingTimeout: pingInterval === null ? null : pingTimeout,
    liveness: checkChoice("liveness", options.liveness, ["pong", "traffic"], "pong"),
    closeTimeout: checkDuration("closeTimeout", options.closeTimeout, 10_000),
    autoPong: checkBoolean("autoPong", options.autoPong, true),
    maxMessageSize: checkSize("maxMessageSize", options.maxMessageSize, 1024 * 1024),
    text: checkChoice("text", options.text, ["string", "bytes"], "string"),
    maxQueuedMessages: queue.messages,
    maxQueuedBytes: queue.bytes,
    writeLimit: checkSize("writeLimit", options.writeLimit, 64 * 1024) ?? Infinity,
    compression: checkCompression(options.compression),
    logger,
    faultLogger: options.logger === undefined ? platform.faultLogger : logger,
  };
}

/** The longest time that timers of JavaScript can wait. */
const MAX_DURATION = 2 ** 31 - 1;

export function checkDuration(name: string, value: unknown, fallback: number | null): number | null {
  if (value === undefined) return fallback;
  if (value === null) return null;
  if (isDuration(value)) return value;
  throw expected(name, `a positive number of milliseconds (at most ${MAX_DURATION}) or null`, value);
}

/** For what a caller has to say. */
export function requireDuration(name: string, value: unknown): number {
  if (isDuration(value)) return value;
  throw expected(name, `a positive number of milliseconds (at most ${MAX_DURATION})`, value);
}

export function checkSize(name: string, value: unknown, fallback: number | null): number | null {
  if (value === undefined) return fallback;
  if (value === null) return null;
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw expected(name, "a positive whole number or null", value);
}

/** A bound of messages, of bytes, or both; Infinity for none. */
export function checkQueue(name: string, value: unknown): { messages: number; bytes: number } {
  const isObject = typeof value === "object" && value !== null;
  const { messages, bytes } = (isObject ? value : { messages: value }) as {
    messages?: unknown;
    bytes?: unknown;
  };
  if (value === null) return { messages: Infinity, bytes: Infinity };
  checkOptionNames(`\`${name}\``, value, QUEUE_LIMITS);
  return {
    messages: checkSize(isObject ? `${name}.messages` : name, messages, 1024) ?? Infinity,
    bytes: checkSize(`${name}.bytes`, bytes, 1024 * 1024) ?? Infinity,
  };
}

export function checkBoolean(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === "boolean") return value;
  throw expected(name, "true or false", value);
}

export function checkChoice<Choice extends string>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  return value === undefined ? fallback : requireChoice(name, value, choices);
}

export function requireChoice<Choice extends string>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw expected(name, choices.map((choice) => JSON.stringify(choice)).join(" or "), value);
}

/**
 * The items of an iterable, read once and copied; null for a string and for what cannot be iterated over.
 *
 * @throws InvalidArgument where the iterable throws, or has no end
 */
export function readItems(name: string, value: unknown): readonly unknown[] | null {
  if (typeof value !== "object" || value === null || !(Symbol.iterator in value)) return null;
  const items: unknown[] = [];
  try {
    for (const item of value as Iterable<unknown>) {
      items.push(item);
      if (items.length > MAX_ITEMS) break;
    }
  } catch (cause) {
    throw new InvalidArgument(
      `Expected \`${name}\` to be an iterable that can be read, got an error from it`,
      {
        cause,
      },
    );
  }
  if (items.length <= MAX_ITEMS) return items;
  throw expected(name, `at most ${MAX_ITEMS} items`, value);
}

/** An iterable without an end must not hang the process. No request has more headers than this. */
const MAX_ITEMS = 10_000;

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw expected(name, "a function", value);
}

export function checkSignal(value: unknown): AbortSignal | null {
  if (value === undefined || value === null) return null;
  if (value instanceof AbortSignal || isForeignSignal(value)) return value;
  throw expected("signal", "an AbortSignal", value);
}

/** Of another realm (a vm context, jsdom): with all that is used of one here. */
function isForeignSignal(value: unknown): value is AbortSignal {
  if (tagOf(value) !== "AbortSignal") return false;
  const signal = value as Partial<AbortSignal>;
  const methods = [signal.addEventListener, signal.removeEventListener, signal.throwIfAborted];
  return typeof signal.aborted === "boolean" && methods.every((method) => typeof method === "function");
}

/** Whether it is a URL object, also one of another realm. */
export function isURL(value: unknown): value is URL {
  return value instanceof URL || (tagOf(value) === "URL" && typeof (value as URL).href === "string");
}

/** The name of its class where the platform made it, whatever its realm: `URL`, `ArrayBuffer`. Never throws. */
export function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    return ""; // A revoked Proxy, or a getter that throws.
  }
}

export function expected(name: string, what: string, got: unknown): InvalidArgument {
  return new InvalidArgument(`Expected \`${name}\` to be ${what}, got ${describe(got)}`);
}

/** A value as a message shows it: `"20s" (string)`, `null`, `[object]`. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `${JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)} (string)`;
    case "number":
    case "bigint":
    case "boolean":
      return `${value} (${typeof value})`;
    case "undefined":
      return "undefined";
    case "object":
      return value === null ? "null" : tagOf(value) === "Array" ? "an array" : "an object";
    case "function":
    case "symbol":
      return `a ${typeof value}`;
  }
}

function isDuration(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= MAX_DURATION;
}

function checkLogger(value: unknown, platform: Platform): Logger | null {
  if (value === undefined || value === null) return null;
  const logger = value as Logger;
  const hasAll = (["debug", "info", "warn", "error"] as const).every(
    (level) => typeof logger[level] === "function",
  );
  if (hasAll) return adaptLogger(logger, platform);
  throw expected("logger", "an object with debug, info, warn and error", value);
}
