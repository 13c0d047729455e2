// The retry step that the supervisor and event streams share: decide whether a retry follows, log that, start the delay.

import type { Logger } from "../../connection/ports.js";
import type { Connector, ConnectorOptions } from "../connector.js";
import { BackoffTimer } from "./backoff-timer.js";
import type { PersistSettings } from "./persist-options.js";
import { RetryLog } from "./retry-log.js";
import { RetryPolicy, type AttemptOutcome, type Retry } from "./retry-policy.js";

export class RetryScheduler<Options extends ConnectorOptions> {
  readonly #policy: RetryPolicy;
  readonly #log: RetryLog;
  readonly #timer: BackoffTimer<Options>;

  /** @param onDue called when the delay has passed, or the network has returned */
  constructor(
    connector: Connector<Options>,
    settings: PersistSettings,
    logger: Logger | null,
    onDue: () => void,
  ) {
    this.#policy = new RetryPolicy(settings, connector.runtime.random);
    this.#log = new RetryLog(logger);
    this.#timer = new BackoffTimer(connector, onDue);
  }

  /** The number of the next attempt. */
  get attempt(): number {
    return this.#policy.attempt;
  }

  onAttempt(attempt: number): void {
    this.#log.onAttempt(attempt);
  }

  /**
   * Starts the delay before the next attempt; returns null if a retry is pointless.
   *
   * @param url of the attempt, without user info; null if it is not known
   * @param spread as in `RetryPolicy.afterEnd()`
   * @param now monotonic time
   * @throws the error that `retryable` throws, or InvalidArgumentError if it returns anything but true or false
   */
  schedule(url: string | null, outcome: AttemptOutcome, spread: number | null, now: number): Retry | null {
    const retry = this.#policy.afterEnd(outcome, spread);
    if (retry === null) {
      this.#log.onGivenUp(url, outcome);
      return null;
    }
    this.#log.onRetry(url, outcome, retry);
    this.#timer.start(retry, now);
    return retry;
  }

  /** Cancels the delay, if there is one. */
  cancel(): void {
    this.#timer.cancel();
  }
}
