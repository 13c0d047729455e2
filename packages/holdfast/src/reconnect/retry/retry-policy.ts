// Decides what follows on the end of an attempt: nothing, or a wait (docs/persistent.md).

import { isThenable } from "../../connection/arguments.js";
import type { CloseInfo } from "../../connection/close-info.js";
import { describe } from "../../shared/option-checks.js";
import type { Random } from "../../connection/ports.js";
import { backoffDelay, type BackoffSettings } from "./backoff.js";
import { InvalidArgumentError, InvalidStatusError } from "../../shared/errors.js";
import { isRetryable } from "./classify.js";
import { randomFraction } from "./fraction.js";
import { MAX_DELAY, type PersistSettings } from "./persist-options.js";

/** How an attempt ended. */
export interface AttemptOutcome {
  readonly info: CloseInfo;
  /** Of opening, or the ConnectionClosed of a connection that was open. */
  readonly error: Error;
}

export interface Retry {
  /** Milliseconds to wait. */
  readonly delay: number;
  /** Attempts in a row that failed, or whose connection did not stay up. */
  readonly attempt: number;
  /** Whether the server asked for it. */
  readonly requestedByServer: boolean;
}

export class RetryPolicy {
  readonly #settings: PersistSettings;
  readonly #random: Random;
  #failures = 0;
  #hasBeenOpen = false;
  /** The width that the server had set when its connection was lost; null where it has not said. */
  #spread: number | null = null;

  constructor(settings: PersistSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
  }

  /** The number of the attempt that comes next. */
  get attempt(): number {
    return this.#failures + 1;
  }

  /**
   * The wait after this end; null where trying again makes no sense.
   *
   * @param spread how wide the server spreads its clients, in milliseconds; null where it has not said
   * @throws what `retryable` throws, and InvalidArgumentError where it returns something else than true or false
   */
  afterEnd({ info, error }: AttemptOutcome, spread: number | null): Retry | null {
    if (info.evidence.openedAt !== null) this.#hasBeenOpen = true;
    if (!this.#isRetryable(error)) return null;
    this.#failures = uptime(info) >= this.#settings.stableAfter ? 1 : this.#failures + 1;
    const fraction = randomFraction(this.#random);
    if (this.#failures === 1) this.#spread = spread;
    const delay = backoffDelay(this.#failures, this.#backoff(), fraction);
    const asked = this.#asked(info, error, fraction);
    // The law holds in any case: a server that asks for no wait at all does not mean to be asked without pause.
    return {
      delay: Math.min(Math.max(delay, asked ?? 0), MAX_DELAY),
      attempt: this.#failures,
      requestedByServer: asked !== null && asked >= delay,
    };
  }

  /** A server's width is that of the first wait. Later ones grow from it where it is wider than ours. */
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
    if (isThenable(answer)) void Promise.resolve(answer).catch(() => undefined); // Nobody waits for its failure.
    throw new InvalidArgumentError(
      `Expected \`retryable\` to return true or false, got ${isThenable(answer) ? "a promise" : describe(answer)}. Return \`byDefault\` where it has no opinion.`,
    );
  }

  /**
   * What the server asks for, within [minDelay, maxRetryAfter]. It tells everybody the same, so that chance has to
   * come on top of it.
   */
  #asked(info: CloseInfo, error: Error, fraction: number): number | null {
    const { firstDelay, maxDelay } = this.#settings;
    if (error instanceof InvalidStatusError && error.retryAfter !== null) {
      const wait = this.#clamp(error.retryAfter);
      return wait + fraction * Math.max(firstDelay, wait / 5);
    }
    const isRestarting = info.received !== null && (info.code === 1012 || info.code === 1013);
    if (!isRestarting) return null;
    const shortest = maxDelay > RESTART_DELAY ? Math.max(firstDelay, RESTART_DELAY) : firstDelay;
    return this.#clamp(shortest + fraction * Math.max(0, maxDelay - shortest));
  }

  #clamp(wait: number): number {
    const { minDelay, maxRetryAfter } = this.#settings;
    return Math.max(minDelay, Math.min(wait, maxRetryAfter));
  }
}

/** IANA's registry has it from the mailing list of RFC 6455: reconnect after a random delay of 5 to 30 s. */
const RESTART_DELAY = 5_000;

/** Milliseconds for which the connection was open; -1 where it never was. */
function uptime({ evidence: { openedAt, endedAt } }: CloseInfo): number {
  return openedAt === null ? -1 : endedAt - openedAt;
}
