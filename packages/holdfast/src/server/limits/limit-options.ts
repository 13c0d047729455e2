// What one address, and one connection, may ask of a server.

import { checkChoice, checkSize, describe, invalidArgument } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";

/** Limits against abuse. Null, like a field that is left out, means no limit. */
export interface LimitOptions {
  /**
   * Connections that one address may have open; more get 429 with Retry-After. All of an IPv6 /64, which is what one
   * customer gets, is one address. @default null
   */
  readonly connectionsPerAddress?: number | null;
  /**
   * Upgrades that one address may request in a second, on average; as many may come at once. More get 429 with
   * Retry-After. @default null
   */
  readonly upgradesPerSecond?: number | null;
  /**
   * Messages that one connection may send in a second, on average; as many may come at once. At least 1. @default null
   */
  readonly messagesPerSecond?: number | null;
  /**
   * Bytes on the wire that one connection may send in a second, on average; as many may come at once. At least 16384,
   * which is what a quarter of one read brings. @default null
   */
  readonly bytesPerSecond?: number | null;
  /**
   * What becomes of a connection that sends more: `"pause"` reads on only when the average allows it, so that TCP slows
   * the peer down and nothing is lost; `"close"` closes it with 1008 (policy violation). @default "pause"
   */
  readonly onExceeded?: "close" | "pause";
}

export interface Limits {
  readonly connectionsPerAddress: number | null;
  readonly upgradesPerSecond: number | null;
  readonly messagesPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  readonly onExceeded: "close" | "pause";
}

/** The name of a limit, as logs and metrics have it. */
export type LimitName = Exclude<keyof LimitOptions, "onExceeded">;

/** `limits: true`: far more than people do, and far less than one machine can. */
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
  const unknown = Object.keys(value).find((name) => !(name in RECOMMENDED));
  if (unknown !== undefined) {
    const names = Object.keys(RECOMMENDED).join(", ");
    throw new InvalidArgumentError(`Expected \`limits\` to hold ${names}, got ${describe(unknown)}`);
  }
  const options = value as LimitOptions; // Each field is looked at.
  return {
    connectionsPerAddress: checkSize("limits.connectionsPerAddress", options.connectionsPerAddress, null),
    upgradesPerSecond: checkRate("upgradesPerSecond", options.upgradesPerSecond, 0),
    messagesPerSecond: checkRate("messagesPerSecond", options.messagesPerSecond, 1),
    bytesPerSecond: checkRate("bytesPerSecond", options.bytesPerSecond, 16 * 1024),
    onExceeded: checkChoice("limits.onExceeded", options.onExceeded, ["pause", "close"], "pause"),
  };
}

/** Lower rates would stop reading for so long that the peer's pings time out. */
function checkRate(name: string, value: unknown, least: number): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && Number.isFinite(value) && value > 0 && value >= least) return value;
  const range = least === 0 ? "a positive number" : `a number of at least ${least}`;
  throw invalidArgument(`limits.${name}`, `${range} or null`, value);
}
