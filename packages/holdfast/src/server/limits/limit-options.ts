// The options that limit each client address and each connection.

import { checkChoice, checkSize, invalidArgument } from "../../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";

/** Limits against abuse. Null or a missing field means no limit. */
export interface LimitOptions {
  /**
   * Maximum number of open connections per address; further upgrades get 429 with Retry-After. An IPv6 /64, which is
   * what one customer gets, counts as one address. @default null
   */
  readonly connectionsPerAddress?: number | null | undefined;
  /**
   * Average upgrades per second and address; bursts of the same size are allowed. Further upgrades get 429 with
   * Retry-After. @default null
   */
  readonly upgradesPerSecond?: number | null | undefined;
  /**
   * Average messages per second that one connection may send; bursts of the same size are allowed. At least 1.
   * Messages of the link protocol (docs/link-protocol.md) do not count: a connection may send 2,000 of them per second, or
   * as many as this. @default null
   */
  readonly messagesPerSecond?: number | null | undefined;
  /**
   * Average bytes per second, on the wire, that one connection may send; bursts of the same size are allowed. At least
   * 16384, which is a quarter of one read. @default null
   */
  readonly bytesPerSecond?: number | null | undefined;
  /**
   * The reaction to a connection that exceeds a limit: `"pause"` pauses reading until the average allows more, so that
   * TCP slows the peer down and nothing is lost; `"close"` closes it with 1008 (policy violation). While it is closing,
   * messages beyond the limit are dropped. @default "pause"
   */
  readonly onExceeded?: "close" | "pause" | undefined;
}

export interface Limits {
  readonly connectionsPerAddress: number | null;
  readonly upgradesPerSecond: number | null;
  readonly messagesPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  readonly onExceeded: "close" | "pause";
}

const NAMES: OptionNames<LimitOptions> = {
  connectionsPerAddress: true,
  upgradesPerSecond: true,
  messagesPerSecond: true,
  bytesPerSecond: true,
  onExceeded: true,
};

/** The name of a limit, as it appears in logs and metrics. */
export type LimitName = Exclude<keyof LimitOptions, "onExceeded">;

/** The limits of `limits: true`: far above what people need, and far below what one machine can produce. */
const RECOMMENDED: Limits = {
  connectionsPerAddress: 1_000,
  upgradesPerSecond: 100,
  messagesPerSecond: 1_000,
  bytesPerSecond: 4 * 1024 * 1024,
  onExceeded: "pause",
};

/** @throws InvalidArgumentError */
export function checkLimits(value: unknown): Limits | null {
  if (value === undefined || value === null || value === false) return null;
  if (value === true) return RECOMMENDED;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalidArgument("limits", "true or an object of limits, or null", value);
  }
  checkOptionNames("`limits`", value, NAMES);
  const options = value as LimitOptions; // Each field is checked below.
  return {
    connectionsPerAddress: checkSize("limits.connectionsPerAddress", options.connectionsPerAddress, null),
    upgradesPerSecond: checkRate("upgradesPerSecond", options.upgradesPerSecond, 0),
    messagesPerSecond: checkRate("messagesPerSecond", options.messagesPerSecond, 1),
    bytesPerSecond: checkRate("bytesPerSecond", options.bytesPerSecond, 16 * 1024),
    onExceeded: checkChoice("limits.onExceeded", options.onExceeded, ["pause", "close"], "pause"),
  };
}

/** A rate below the minimum would pause reading for so long that the peer's pings time out. */
function checkRate(name: string, value: unknown, least: number): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && Number.isFinite(value) && value > 0 && value >= least) return value;
  const range = least === 0 ? "a positive number" : `a number of at least ${least}`;
  throw invalidArgument(`limits.${name}`, `${range} or null`, value);
}
