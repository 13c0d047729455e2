// How a server reports that a limit is exceeded: each time on a channel, and once per episode to the log.

import type { Connection } from "../../connection/connection.js";
import type { Address, Logger } from "../../connection/ports.js";
import { publishLimited } from "../../transport/node/channels.js";
import type { Episode } from "./episode.js";
import type { LimitName } from "./limit-options.js";

export interface Exceeding {
  readonly limit: LimitName;
  /** What was expected, and what came. */
  readonly reason: string;
  readonly remoteAddress: Address | null;
  /** Null where there is none yet. */
  readonly connection: Connection | null;
}

export function reportExceeding(
  exceeding: Exceeding,
  {
    episode,
    now,
    logger,
  }: { readonly episode: Episode; readonly now: number; readonly logger: Logger | null },
): void {
  const { limit, reason, remoteAddress, connection } = exceeding;
  publishLimited({ limit, remoteAddress, connection });
  if (!episode.begins(now)) return;
  const named = connection === null ? {} : { id: connection.id };
  logger?.warn("limit exceeded", { ...named, limit, reason, remoteAddress });
}
