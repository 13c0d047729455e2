// The options of topics, and their checks.

import { checkChoice, checkSize, invalidArgument } from "../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import type { Logger } from "../connection/ports.js";
import { defaultSlowLimit, type SlowPolicy } from "../connection/sending/slow-policy.js";
import type { Engine, HistoryLimits } from "./engine/engine.js";
import { checkPosition, type Position } from "./position.js";
import type { ReceiverSettings } from "./receiver.js";
import { isWellFormed } from "./topic-name.js";

/** The limits of a topic's history. */
export interface HistoryOptions {
  /** The number of messages. @default 1000 */
  readonly messages?: number | undefined;
  /** Milliseconds for which a message is kept. @default 300000 */
  readonly age?: number | undefined;
}

/** Options of `createTopics()`. */
export interface TopicsOptions {
  /** The engine that connects this process to others. @default an engine in memory, for this process only */
  readonly engine?: Engine | undefined;
  /** Keep a history, unless `publish()` says otherwise. True for the default limits. @default false */
  readonly history?: HistoryOptions | boolean | undefined;
  /**
   * The number of messages that a returning subscriber gets at most. If it has missed more, it gets a gap and then the
   * newest ones. @default 1000
   */
  readonly maxRecovery?: number | undefined;
  /**
   * Gets errors of the functions given to `watch()` and `on()`, and of the engine; null for nowhere. Those of the functions
   * given to `open()` go to the logger of the connection's server. @default undefined: stderr
   */
  readonly logger?: Logger | null | undefined;
}

/** Options of `publish()`. */
export interface PublishOptions {
  /**
   * A message whose `id` was published on the topic within the last 2 minutes is not published again: use it to retry.
   * 1 to 256 characters.
   */
  readonly id?: string | undefined;
  /** Keep the message in the topic's history. @default the option of `createTopics()` */
  readonly history?: HistoryOptions | boolean | undefined;
  /** Compress the message for connections that negotiated compression, if it is large enough. @default true */
  readonly compress?: boolean | undefined;
  /** Stops waiting, and withdraws the message if the engine does not have it yet. */
  readonly signal?: AbortSignal | null | undefined;
}

/** Options of `subscribe()` at a server. */
export interface SubscribeOptions {
  /**
   * The position of the last message that the subscriber received, after which to continue. `"now"` starts with the
   * next message.
   * @default "now"
   */
  readonly since?: Position | "now" | undefined;
  /**
   * The policy for a connection that does not keep up: one of `broadcast()`, or `"catch-up"`: stop sending, and
   * continue from the history as fast as the connection receives. It then skips messages without history. @default
   * "buffer"
   */
  readonly slow?: SlowPolicy | "catch-up" | undefined;
  /** A receiver does not keep up if it has this many unsent bytes. @default 1 MiB for `"buffer"`, 64 KiB otherwise */
  readonly limit?: number | null | undefined;
  /** Makes the connection a member of the topic, with this data: a value that JSON can represent. */
  readonly presence?: unknown;
}

export const TOPICS_OPTIONS: OptionNames<TopicsOptions> = {
  engine: true,
  history: true,
  maxRecovery: true,
  logger: true,
};
export const PUBLISH_OPTIONS: OptionNames<PublishOptions> = {
  id: true,
  history: true,
  compress: true,
  signal: true,
};
export const SUBSCRIBE_OPTIONS: OptionNames<SubscribeOptions> = {
  since: true,
  slow: true,
  limit: true,
  presence: true,
};
const HISTORY_OPTIONS: OptionNames<HistoryOptions> = { messages: true, age: true };

const SLOW_POLICIES = ["skip", "close", "buffer", "catch-up"] as const;
const MAX_ID = 256;

/** @throws InvalidArgumentError */
export function checkHistory(value: unknown, fallback: HistoryLimits | null): HistoryLimits | null {
  if (value === undefined) return fallback;
  if (value === false) return null;
  if (value !== true && (typeof value !== "object" || value === null)) {
    throw invalidArgument("history", "true, false, or an object with `messages` and `age`", value);
  }
  const options: HistoryOptions = value === true ? {} : value;
  checkOptionNames("`history`", options, HISTORY_OPTIONS);
  const { messages, age } = options;
  return {
    messages: requireSize("history.messages", messages, 1_000),
    age: requireSize("history.age", age, 300_000),
  };
}

/** @throws InvalidArgumentError */
export function requireSize(name: string, value: unknown, fallback: number): number {
  if (value === null) throw invalidArgument(name, "a positive whole number", value);
  return checkSize(name, value, fallback) ?? fallback;
}

/** @throws InvalidArgumentError */
export function checkId(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === "string" && value !== "" && value.length <= MAX_ID && isWellFormed(value))
    return value;
  throw invalidArgument("id", `a text of 1 to ${MAX_ID} characters of well-formed Unicode`, value);
}

/** @throws InvalidArgumentError */
export function checkSince(value: unknown): Position | null {
  return value === undefined || value === "now" ? null : checkPosition("since", value);
}

/** @throws InvalidArgumentError */
export function checkReceiverSettings(options: SubscribeOptions): ReceiverSettings {
  const slow = checkChoice("slow", options.slow, SLOW_POLICIES, "buffer");
  return { slow, limit: checkSize("limit", options.limit, defaultSlowLimit(slow)) ?? Infinity };
}

/**
 * Copies the value by way of JSON.
 * @throws InvalidArgumentError
 */
export function checkPresence(value: unknown): unknown {
  try {
    const text = JSON.stringify(value) as string | undefined; // Undefined for a function, for example.
    if (text !== undefined) return JSON.parse(text) as unknown;
  } catch {
    // A cycle, a bigint, or a function that throws.
  }
  throw invalidArgument("presence", "a value that JSON can express", value);
}

/** @throws InvalidArgumentError */
export function checkEngine(value: unknown): Engine | null {
  if (value === undefined) return null;
  const methods = ["publish", "listen", "ignore", "read"] as const;
  const isEngine =
    typeof value === "object" &&
    value !== null &&
    methods.every((name) => typeof (value as Partial<Engine>)[name] === "function");
  if (isEngine) return value as Engine; // The methods were checked above.
  throw invalidArgument("engine", "an engine, such as redisEngine() or memoryEngine()", value);
}
