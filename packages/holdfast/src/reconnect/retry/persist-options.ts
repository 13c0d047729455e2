// Options of `persist()` and `reconnect()`, beside those of the connection.

import { checkDuration, checkFunction, checkSignal, invalidArgument } from "../../shared/option-checks.js";
import { bindToContext, SILENT_PLATFORM, type Platform } from "../../connection/platform.js";
import type { OptionNames } from "../../shared/option-names.js";
import { DEFAULT_BACKOFF, type BackoffSettings } from "./backoff.js";

/** How a client comes back. Durations are milliseconds. */
export interface PersistOptions {
  /** No wait is shorter. @default 0 */
  readonly minDelay?: number;
  /**
   * The first wait lies anywhere between `minDelay` and this, all lengths being as likely. A server of this library
   * sets another width for pages, by the number of its connections; `minDelay` and `maxDelay` bound it. @default 2000
   */
  readonly firstDelay?: number;
  /** No wait is longer, unless the server asks for it. @default 30000 */
  readonly maxDelay?: number;
  /** How much longer each wait is than the one before, chance aside. At least 1. @default 1.618 */
  readonly factor?: number;
  /** Only a connection that stayed up for so long makes the waits short again. @default 5000 */
  readonly stableAfter?: number;
  /**
   * The longest wait that a server may ask for, by `Retry-After` or by closing with 1012 or 1013; null for as long as
   * it likes. @default 300000
   */
  readonly maxRetryAfter?: number | null;
  /**
   * Whether to try again after this error: that of opening, or the ConnectionClosed of a connection that was open.
   * `byDefault` is what would be done without this function. Anything but true or false, a promise included, ends it
   * with an InvalidArgumentError.
   */
  readonly retryable?: ((error: Error, byDefault: boolean) => boolean) | undefined;
  /** Ends it at any moment: while connected, while connecting, while waiting. */
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

/** The longest time that timers of JavaScript can wait. */
export const MAX_DELAY = 2 ** 31 - 1;

/** @throws InvalidArgumentError that names the option, what was expected and what came */
export function checkPersistOptions(
  options: PersistOptions,
  platform: Platform = SILENT_PLATFORM,
): PersistSettings {
  if (options.retryable !== undefined) checkFunction("retryable", options.retryable);
  return {
    minDelay: checkDelay("minDelay", options.minDelay, DEFAULT_BACKOFF.minDelay),
    firstDelay: checkDelay("firstDelay", options.firstDelay, DEFAULT_BACKOFF.firstDelay),
    maxDelay: checkDelay("maxDelay", options.maxDelay, DEFAULT_BACKOFF.maxDelay),
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
