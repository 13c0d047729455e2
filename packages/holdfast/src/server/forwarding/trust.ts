// Determines which proxies the server trusts to report their client (`trustProxy`).

import { refusePromise } from "../../connection/arguments.js";
import { describe, invalidArgument } from "../../shared/option-checks.js";
import type { FaultLogger } from "../../connection/platform.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import {
  addressBytes,
  isInRange,
  LINK_LOCAL,
  LOOPBACK,
  parseRange,
  UNIQUE_LOCAL,
  type AddressRange,
} from "./ip-address.js";

/**
 * The proxies in front of a server: their number; their addresses and ranges; or a function that returns true for the
 * address of a proxy.
 */
export type TrustProxy = number | readonly string[] | ((address: string, hop: number) => boolean);

/**
 * Returns whether `address` belongs to a trusted proxy. Hop 0 is the socket's peer, hop 1 the last entry of
 * X-Forwarded-For, and so on. A peer on a Unix socket has the address "unix".
 */
export type ProxyTrust = (address: string, hop: number) => boolean;

/** Stands for the address of a peer on a Unix socket. */
export const UNIX = "unix";

/** @throws InvalidArgumentError */
export function checkTrustProxy(value: unknown): ProxyTrust | null {
  if (value === undefined || value === null || value === 0) return null;
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0)
    return (_address, hop) => hop < value;
  // Only `true` counts: a function written in plain JavaScript may return anything.
  if (typeof value === "function") {
    const isProxy = value as (address: string, hop: number) => unknown;
    return (address, hop) => {
      const verdict = isProxy(address, hop);
      refusePromise("trustProxy()", "true or false", verdict);
      return verdict === true;
    };
  }
  if (Array.isArray(value)) return trustEntries(value.map(checkEntry));
  const hint =
    value === true ? " `true` would trust every client: set the number of proxies, such as 1." : "";
  throw new InvalidArgumentError(
    `Expected \`trustProxy\` to be a number of proxies, a list of their addresses, or a function, got ${describe(value)}.${hint}`,
  );
}

/** Wraps the application's function: if it throws, the proxy is not trusted. */
export function withoutThrowing(trust: ProxyTrust, logger: FaultLogger | null): ProxyTrust {
  return (address, hop) => {
    try {
      return trust(address, hop);
    } catch (error) {
      logger?.error("trustProxy failed", { error: errorOf(error) });
      return false;
    }
  };
}

type TrustEntry = readonly AddressRange[] | typeof UNIX;

function trustEntries(entries: readonly TrustEntry[]): ProxyTrust {
  const isUnixTrusted = entries.includes(UNIX);
  const ranges = entries.flatMap((entry) => (entry === UNIX ? [] : entry));
  return (address) => {
    if (address === UNIX) return isUnixTrusted;
    const bytes = addressBytes(address);
    return bytes !== null && ranges.some((range) => isInRange(bytes, range));
  };
}

const NAMED_RANGES: ReadonlyMap<unknown, TrustEntry> = new Map<unknown, TrustEntry>([
  ["loopback", LOOPBACK],
  ["linklocal", LINK_LOCAL],
  ["uniquelocal", UNIQUE_LOCAL],
  [UNIX, UNIX],
]);

function checkEntry(entry: unknown): TrustEntry {
  const named = NAMED_RANGES.get(entry);
  if (named !== undefined) return named;
  const range = typeof entry === "string" ? parseRange(entry) : null;
  if (range !== null) return [range];
  throw invalidArgument(
    "trustProxy",
    'a list of IP addresses, ranges such as "10.0.0.0/8", "loopback", "linklocal", "uniquelocal" and "unix"',
    entry,
  );
}
