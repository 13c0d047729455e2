// Log lines about attempts and retries. Failed attempts appear nowhere else: the loop handles their errors and throws none.

import type { Logger } from "../../connection/ports.js";
import { showURL } from "../../shared/show-url.js";
import type { AttemptOutcome } from "../attempt.js";
import type { Retry } from "./retry-policy.js";

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

  /** The peer is suspected to be dead: a second socket opens beside its connection. */
  onRace(url: string | null): void {
    this.#logger?.info("connection suspected", { side: "client", url: url === null ? null : showURL(url) });
  }

  /** @param url without user info; null if it is not known */
  onRetry(url: string | null, outcome: AttemptOutcome, { attempt, delay, requestedByServer }: Retry): void {
    this.#logger?.info("connection retry", {
      ...details(url, outcome),
      attempt: attempt + 1,
      delay: Math.round(delay),
      requestedByServer,
      ...errorDetails(outcome),
    });
  }

  /** No retry follows. After a clean end (`info.ok`) that is not worth a warning. */
  onGivenUp(url: string | null, outcome: AttemptOutcome): void {
    const level = outcome.info.ok ? "info" : "warn";
    this.#logger?.[level]("connection given up", { ...details(url, outcome), ...errorDetails(outcome) });
  }
}

function details(url: string | null, { info: { cause } }: AttemptOutcome): object {
  return { side: "client", url: url === null ? null : showURL(url), cause };
}

/** If the connection was open, the log line of its end already contains the error. */
function errorDetails({ info, error }: AttemptOutcome): object {
  return info.evidence.openedAt === null ? { error } : {};
}
