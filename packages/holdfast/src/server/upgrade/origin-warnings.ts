// Warns of pages that are refused for their origin: to the page, to its developer and to the server's, nothing else
// says why a connection fails.

import type { ConnectionSettings } from "../../connection/options.js";
import type { FaultLogger } from "../../connection/platform.js";

/** Different origins of which a server warns; strangers choose what they send, and are not to fill the log. */
const MAX_ORIGINS = 100;
/** Characters of an origin and of a reason: a domain name has at most 253. */
const MAX_LENGTH = 1_000;

export class OriginWarnings {
  /** Null where the application's own logger gets every refusal. */
  readonly #logger: FaultLogger | null;
  readonly #origins = new Set<string>();

  /** A logger that is configured is told of every refusal as it is. */
  constructor({ logger, faultLogger }: ConnectionSettings) {
    this.#logger = logger === null ? faultLogger : null;
  }

  /** @param reason says what was expected, and which option allows the origin */
  onRefused(origin: string | null, reason: string): void {
    if (this.#logger === null || this.#origins.size >= MAX_ORIGINS) return;
    const key = (origin ?? "").slice(0, MAX_LENGTH);
    if (this.#origins.has(key)) return;
    this.#origins.add(key);
    this.#logger.warn(`origin refused: ${reason.slice(0, MAX_LENGTH)}`, { origin: key });
  }
}
