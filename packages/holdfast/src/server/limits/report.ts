// Reports that a limit is exceeded: each time on the diagnostics channel, and once per episode in the log.

import type { Connection } from "../../connection/connection.js";
import type { Address, Logger } from "../../connection/ports.js";
import { publishLimited } from "../server-channels.js";
import type { LimitName } from "./limit-options.js";

export interface ExceededLimit {
  readonly limit: LimitName;
  /** The expected and the actual value. */
  readonly reason: string;
  readonly remoteAddress: Address | null;
  /** Null before a connection exists. */
  readonly connection: Connection | null;
}

export function reportExceededLimit(
  exceeded: ExceededLimit,
  {
    episode,
    now,
    logger,
  }: { readonly episode: Episode; readonly now: number; readonly logger: Logger | null },
): void {
  const { limit, reason, remoteAddress, connection } = exceeded;
  publishLimited({ limit, remoteAddress, connection });
  if (!episode.begins(now)) return;
  const identity = connection === null ? {} : { id: connection.id };
  logger?.warn("limit exceeded", { ...identity, limit, reason, remoteAddress });
}

/** A time during which a limit is exceeded. It is logged once, so that a flood of messages does not flood the log. */
export class Episode {
  #lastAt = -Infinity;

  /** Records that the limit is exceeded. Returns whether a new episode begins. */
  begins(now: number): boolean {
    const isNew = this.isOver(now);
    this.#lastAt = now;
    return isNew;
  }

  isOver(now: number): boolean {
    return now - this.#lastAt > EPISODE_GAP;
  }
}

/** An episode ends after this many milliseconds within the limit. */
const EPISODE_GAP = 10_000;
