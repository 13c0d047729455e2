// What reconnecting tells a logger. Attempts that fail show nowhere else: their errors are dealt with, not thrown.

import type { Logger } from "../../connection/ports.js";
import { showURL } from "../../shared/show-url.js";
import type { AttemptOutcome, Retry } from "./retry-policy.js";

export class RetryLog {
  readonly #logger: Logger | null;
  readonly #isVerbose: boolean;

  constructor(logger: Logger | null) {
    this.#logger = logger;
    this.#isVerbose = logger?.isLevelEnabled?.("debug") ?? true;
  }

  onAttempt(attempt: number): void {
    if (this.#isVerbose) this.#logger?.debug(`= attempt ${attempt} to connect`, { side: "client", attempt });
  }

  /** @param url without user info; null where it is not known */
  onRetry(url: string | null, ending: AttemptOutcome, { attempt, delay, requestedByServer }: Retry): void {
    this.#logger?.info("connection retry", {
      ...details(url, ending),
      attempt: attempt + 1,
      delay: Math.round(delay),
      requestedByServer,
      ...openingError(ending),
    });
  }

  /** Trying again makes no sense. Where even that was the end that both sides wanted, there is nothing to warn of. */
  onGivenUp(url: string | null, ending: AttemptOutcome): void {
    const level = ending.info.ok ? "info" : "warn";
    this.#logger?.[level]("connection given up", { ...details(url, ending), ...openingError(ending) });
  }
}

function details(url: string | null, { info: { cause } }: AttemptOutcome): object {
  return { side: "client", url: url === null ? null : showURL(url), cause };
}

/** The error of a connection that was open stands in the line of its end. */
function openingError({ info, error }: AttemptOutcome): object {
  return info.evidence.openedAt === null ? { error } : {};
}
