// Logs a warning when a page is refused for its origin. Neither the page nor its developer can see the reason
// otherwise.

import type { ConnectionSettings } from "../../connection/options.js";
import type { FaultLogger } from "../../connection/platform.js";

/** Maximum number of distinct origins to warn about: clients choose the value, and must not fill the log. */
const MAX_ORIGINS = 100;
/** Maximum characters of an origin and of a reason in the log; a domain name has at most 253. */
const MAX_LENGTH = 1_000;

export class OriginWarnings {
  /** Null if the application has configured a logger, which receives every refusal. */
  readonly #logger: FaultLogger | null;
  readonly #origins = new Set<string>();

  constructor({ logger, faultLogger }: ConnectionSettings) {
    this.#logger = logger === null ? faultLogger : null;
  }

  /** @param reason the expected origin, and the option that allows it */
  onRefused(origin: string | null, reason: string): void {
    if (this.#logger === null || this.#origins.size >= MAX_ORIGINS) return;
    const key = (origin ?? "").slice(0, MAX_LENGTH);
    if (this.#origins.has(key)) return;
    this.#origins.add(key);
    this.#logger.warn(`origin refused: ${reason.slice(0, MAX_LENGTH)}`, { origin: key });
  }
}
