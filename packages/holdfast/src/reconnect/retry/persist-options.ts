// The retry options of `persist()`, `reconnect()` and `connectPersistent()`.

import { checkDuration, checkFunction, checkSignal, invalidArgument } from "../../shared/option-checks.js";
import { bindToContext, SILENT_PLATFORM, type Platform } from "../../connection/platform.js";
import type { OptionNames } from "../../shared/option-names.js";
import { DEFAULT_BACKOFF, type BackoffSettings } from "./backoff.js";

/** How a client reconnects. Durations are milliseconds. */
export interface PersistOptions {
  /** The shortest delay before an attempt. @default 0 */
  readonly minDelay?: number | undefined;
  /**
   * The first delay is uniform between `minDelay` and this. A Holdfast server sends browsers another width, which
   * depends on how many connections it has; `minDelay` and `maxDelay` bound it. @default 2000
   */
  readonly firstDelay?: number | undefined;
  /** The longest delay, unless the server requests a longer one. @default 30000 */
  readonly maxDelay?: number | undefined;
  /** Growth from one delay to the next, before jitter. At least 1. @default 1.618 */
  readonly factor?: number | undefined;
  /** Only a connection that stayed open at least this long resets the backoff. @default 5000 */
  readonly stableAfter?: number | undefined;
  /**
   * The longest delay that a server may request, with `Retry-After` or by closing with 1012 or 1013, its random part
   * included; null for no limit. @default 300000
   */
  readonly maxRetryAfter?: number | null | undefined;
  /**
   * Decides whether to retry after this error: the error of a failed attempt, or the ConnectionClosed of a connection
   * that was open. `byDefault` is the decision without this function. Any return value but true or false, including a
   * promise, ends the loop with an InvalidArgumentError.
   */
  readonly retryable?: ((error: Error, byDefault: boolean) => boolean) | undefined;
  /** Ends the loop at any moment: while connected, while connecting, during a delay. */
  readonly signal?: AbortSignal | null | undefined;
}

export const PERSIST_OPTIONS: OptionNames<PersistOptions> = {
  minDelay: true,
  firstDelay: true,
  maxDelay: true,
  factor: true,
  stableAfter: true,
  maxRetryAfter: true,
  retryable: true,
  signal: true,
};

export interface PersistSettings extends BackoffSettings {
  readonly stableAfter: number;
  readonly maxRetryAfter: number;
  readonly retryable: (error: Error, byDefault: boolean) => boolean;
  readonly signal: AbortSignal | null;
}

/** The longest delay of a JavaScript timer. */
export const MAX_DELAY = 2 ** 31 - 1;

/** @throws InvalidArgumentError for an invalid option */
export function checkPersistOptions(
  options: PersistOptions,
  platform: Platform = SILENT_PLATFORM,
): PersistSettings {
  if (options.retryable !== undefined) checkFunction("retryable", options.retryable);
  const minDelay = checkDelay("minDelay", options.minDelay, DEFAULT_BACKOFF.minDelay);
  const maxDelay = checkDelay("maxDelay", options.maxDelay, DEFAULT_BACKOFF.maxDelay);
  if (maxDelay < minDelay)
    throw invalidArgument("maxDelay", `at least \`minDelay\`, which is ${minDelay}`, maxDelay);
  return {
    minDelay,
    firstDelay: checkDelay("firstDelay", options.firstDelay, DEFAULT_BACKOFF.firstDelay),
    maxDelay,
    factor: checkFactor(options.factor),
    stableAfter: checkDelay("stableAfter", options.stableAfter, 5_000),
    maxRetryAfter: checkDuration("maxRetryAfter", options.maxRetryAfter, 300_000) ?? MAX_DELAY,
    retryable:
      options.retryable === undefined
        ? (_, byDefault) => byDefault
        : bindToContext(platform, options.retryable),
    signal: checkSignal(options.signal),
  };
}

function checkDelay(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && value >= 0 && value <= MAX_DELAY) return value;
  throw invalidArgument(name, `a number of milliseconds from 0 to ${MAX_DELAY}`, value);
}

function checkFactor(value: unknown): number {
  if (value === undefined) return DEFAULT_BACKOFF.factor;
  if (typeof value === "number" && value >= 1 && value < Infinity) return value;
  throw invalidArgument("factor", "a number of 1 or more", value);
}
