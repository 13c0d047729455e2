// Resolves a host name, and orders its addresses for connecting (RFC 8305).

import { isIP, type LookupFunction } from "node:net";
import { nodeModule } from "../../protocol/node-module.js";
import { describe } from "../../shared/option-checks.js";
import type { SystemError } from "../open-failure.js";
import type { DialContext } from "./dial-context.js";

export interface LookupSettings {
  /** 4 or 6 for one family, 0 for both. */
  readonly family: number;
  /** The application's function; undefined for `dns.lookup`. */
  readonly lookup: LookupFunction | undefined;
}

/**
 * Resolves `hostname` to at least one address, in the resolver's order and without duplicates.
 *
 * @throws HandshakeError with the failure `"dns"`, also if the application's `lookup` throws or returns invalid results
 */
export async function resolveAddresses(
  hostname: string,
  { family, lookup = nodeModule("node:dns").lookup }: LookupSettings,
  context: DialContext,
): Promise<readonly string[]> {
  context.enter("dns");
  try {
    const found = await callLookup(lookup, hostname, family);
    const addresses = addressesIn(found).filter((address) => family === 0 || isIP(address) === family);
    if (addresses.length === 0) throw nothingFound(hostname, family, found);
    return [...new Set(addresses)];
  } catch (error) {
    throw context.failure(error);
  }
}

/**
 * Alternates the two address families, starting with that of the first address (RFC 8305 section 4). Each family
 * keeps the resolver's order (RFC 6724).
 */
export function interleaveFamilies(addresses: readonly string[]): readonly string[] {
  const preferred = isIP(addresses[0]);
  const first = addresses.filter((address) => isIP(address) === preferred);
  const second = addresses.filter((address) => isIP(address) !== preferred);
  return Array.from({ length: Math.max(first.length, second.length) }, (_, index) => [
    ...first.slice(index, index + 1),
    ...second.slice(index, index + 1),
  ]).flat();
}

/**
 * Settles with the first call of the callback. A `lookup` without it fails too: one that rejects, or that returns the
 * addresses, as functions of `node:dns/promises` do.
 */
function callLookup(lookup: LookupFunction, hostname: string, family: number): Promise<unknown> {
  const hints = family === 0 && process.platform !== "win32" ? nodeModule("node:dns").ADDRCONFIG : 0;
  return new Promise<unknown>((resolve, reject) => {
    // Its declared return type is void, but an async function returns a promise.
    const call: (...args: Parameters<LookupFunction>) => unknown = lookup;
    const returned = call(hostname, { all: true, family, hints }, (error, found: unknown) => {
      if (error) reject(error);
      else resolve(found);
    });
    Promise.resolve(returned).then((value) => {
      if (isAnswer(value)) reject(new Error(RETURNED));
    }, reject);
  });
}

const RETURNED =
  "Expected `lookup` to pass the addresses to its callback, got them as its result. Call the callback, or use a function of node:dns rather than node:dns/promises.";

/** Whether `lookup` returned addresses. Functions of `node:dns` return an object of their own, or nothing. */
function isAnswer(returned: unknown): boolean {
  if (typeof returned !== "object" || returned === null) return typeof returned === "string";
  return Array.isArray(returned) || "address" in returned;
}

/** Reads the list, or the single address that a `lookup` without support for `all` returns. */
function addressesIn(found: unknown): readonly string[] {
  const entries: readonly unknown[] = Array.isArray(found) ? found : [{ address: found }];
  return entries.flatMap((entry) => {
    const { address, family } = (entry ?? {}) as { readonly address?: unknown; readonly family?: unknown };
    if (typeof address !== "string" || isIP(address) === 0) return [];
    return family === undefined || family === isIP(address) ? [address] : [];
  });
}

function nothingFound(hostname: string, family: number, found: unknown): SystemError {
  const wanted = family === 0 ? "an address" : `an IPv${family} address`;
  const first: unknown = Array.isArray(found) ? found[0] : found;
  const entry = Array.isArray(found) && found.length === 0 ? "none" : describeEntry(first);
  return Object.assign(new Error(`Expected the lookup of ${hostname} to find ${wanted}, got ${entry}.`), {
    code: "ENOTFOUND",
  });
}

function describeEntry(entry: unknown): string {
  if (typeof entry !== "object" || entry === null || !("address" in entry)) return describe(entry);
  const family = "family" in entry ? `, family ${describe(entry.family)}` : "";
  return `the address ${describe(entry.address)}${family}`;
}
