// The reports of a node about its own data, by INFO.

import type { Address, RedisConnection } from "../client/connection.js";

export interface NodeInfo {
  /** Identifies the process: each start has another one. */
  readonly run: string;
  /** Milliseconds since the process started, rounded down to seconds. */
  readonly uptime: number;
  readonly isMaster: boolean;
  /** Identifies the node's sequence of writes. Redis changes it whenever writes may have been lost. */
  readonly replication: string;
  /** The sequence that this one continues; zeros if there is none. */
  readonly earlier: string;
  /** The place up to which this sequence continues the earlier one. */
  readonly earlierEnd: number;
  readonly replicas: readonly Address[];
}

export async function readInfo(connection: RedisConnection): Promise<NodeInfo> {
  const text = String(await connection.send(["INFO", "server", "replication"]));
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(text)?.[1] ?? "";
  return {
    run: field("run_id"),
    uptime: Number(field("uptime_in_seconds")) * 1_000,
    isMaster: field("role") === "master",
    replication: field("master_replid"),
    earlier: field("master_replid2"),
    earlierEnd: Number(field("second_repl_offset")),
    replicas: [...text.matchAll(/^slave\d+:ip=(.*?),port=(\d+),/gm)].map(([, host = "", port]) => ({
      host,
      port: Number(port),
    })),
  };
}

export const NO_REPLICATION = "0".repeat(40);
