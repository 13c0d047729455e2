// Decides what follows the end of an attempt: a retry after a delay, or nothing (docs/persistent.md).

import { ignoreRejection } from "../../shared/deferred.js";
import type { CloseInfo } from "../../connection/close-info.js";
import { describe } from "../../shared/option-checks.js";
import type { Random } from "../../connection/ports.js";
import type { AttemptOutcome } from "../attempt.js";
import { backoffDelay, randomFraction, type BackoffSettings } from "./backoff.js";
import { InvalidArgumentError, InvalidStatusError } from "../../shared/errors.js";
import { isRetryable } from "./classify.js";
import type { PersistSettings } from "./persist-options.js";

export interface Retry {
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  /** Consecutive attempts that failed, or whose connection did not stay open for `stableAfter`. */
  readonly attempt: number;
  /** Whether the server requested this delay. */
  readonly requestedByServer: boolean;
}

export class RetryPolicy {
  readonly #settings: PersistSettings;
  readonly #random: Random;
  #failures: number;
  #hasBeenOpen = false;
  /** The spread that the server had set when the connection was lost; null if it has set none. */
  #spread: number | null = null;

  /** @param failures the number of attempts that have failed before */
  constructor(settings: PersistSettings, random: Random, failures = 0) {
    this.#settings = settings;
    this.#random = random;
    this.#failures = failures;
  }

  /** The number of the next attempt. */
  get attempt(): number {
    return this.#failures + 1;
  }

  /**
   * Returns the delay after this outcome; null if a retry is pointless.
   *
   * @param spread how widely the server spreads its clients, in milliseconds; null if it has set none
   * @throws the error that `retryable` throws, or InvalidArgumentError if it returns anything but true or false
   */
  afterEnd({ info, error }: AttemptOutcome, spread: number | null): Retry | null {
    if (info.evidence.openedAt !== null) this.#hasBeenOpen = true;
    if (!this.#isRetryable(error)) return null;
    this.#failures = uptime(info) >= this.#settings.stableAfter ? 1 : this.#failures + 1;
    const fraction = randomFraction(this.#random);
    if (this.#failures === 1) this.#spread = spread;
    const delay = backoffDelay(this.#failures, this.#backoff(), fraction);
    const requested = this.#requestedDelay(info, error, fraction);
    // A request replaces the first delay, which is nothing but spread. Later delays also apply: a server that always
    // sends `Retry-After: 0` does not want retries without pause.
    const requestedByServer = requested !== null && (this.#failures === 1 || requested >= delay);
    return { delay: requestedByServer ? requested : delay, attempt: this.#failures, requestedByServer };
  }

  /** Another socket has replaced this connection, without a delay. */
  afterReplacement(info: CloseInfo): void {
    this.#hasBeenOpen = true;
    if (uptime(info) >= this.#settings.stableAfter) this.#failures = 0;
  }

  /** The server's spread sets the first delay. Later delays grow from it if it is wider than our own. */
  #backoff(): BackoffSettings {
    const { firstDelay } = this.#settings;
    if (this.#spread === null) return this.#settings;
    return {
      ...this.#settings,
      firstDelay: this.#failures === 1 ? this.#spread : Math.max(firstDelay, this.#spread),
    };
  }

  #isRetryable(error: Error): boolean {
    const answer: unknown = this.#settings.retryable(error, isRetryable(error, this.#hasBeenOpen));
    if (typeof answer === "boolean") return answer;
    ignoreRejection(answer);
    throw new InvalidArgumentError(
      `Expected \`retryable\` to return true or false, got ${describe(answer)}. Return \`byDefault\` where it has no opinion.`,
    );
  }

  /** The delay that the server requests, within [minDelay, maxRetryAfter]; null if it requests none. */
  #requestedDelay(info: CloseInfo, error: Error, fraction: number): number | null {
    const { minDelay, firstDelay, maxDelay, maxRetryAfter } = this.#settings;
    if (error instanceof InvalidStatusError && error.retryAfter !== null) {
      const shortest = Math.max(minDelay, error.retryAfter);
      return this.#spreadOut(shortest, Math.max(firstDelay, Math.min(shortest, maxRetryAfter) / 5), fraction);
    }
    const isRestarting = info.received !== null && (info.code === 1012 || info.code === 1013);
    if (!isRestarting) return null;
    const lowerEnds = [Math.max(firstDelay, RESTART_DELAY), firstDelay, minDelay];
    const shortest = Math.max(minDelay, lowerEnds.find((delay) => delay < maxDelay) ?? maxDelay);
    return this.#spreadOut(shortest, maxDelay - shortest, fraction);
  }

  /**
   * All clients get the same request. They spread over the `width` after `shortest`, as far as `maxRetryAfter` allows; if
   * it allows none of that, over the `width` before `maxRetryAfter`.
   */
  #spreadOut(shortest: number, width: number, fraction: number): number {
    const { minDelay, maxRetryAfter } = this.#settings;
    const from = shortest < maxRetryAfter ? shortest : Math.max(minDelay, maxRetryAfter - width);
    const to = Math.max(from, Math.min(shortest + width, maxRetryAfter));
    return Math.min(from + fraction * (to - from), to); // Floating-point addition may round up past the limit.
  }
}

/** IANA's registry, after the mailing list of RFC 6455, on code 1012: reconnect after a random delay of 5 to 30 s. */
const RESTART_DELAY = 5_000;

/** Milliseconds for which the connection was open; -1 if it never opened. */
function uptime({ evidence: { openedAt, endedAt } }: CloseInfo): number {
  return openedAt === null ? -1 : endedAt - openedAt;
}
