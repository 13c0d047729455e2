// Parses IP addresses and ranges, as proxies write them and as `trustProxy` lists them.

import { isIPv4, isIPv6 } from "node:net";
import type { Address } from "../../connection/ports.js";

/** A range of addresses: those whose first `bits` bits equal those of `bytes`. */
export interface AddressRange {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/**
 * Returns the 16 bytes of an address; an IPv4 address becomes ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). Returns null
 * for other text.
 */
export function addressBytes(text: string): Uint8Array | null {
  if (isIPv4(text)) return Uint8Array.of(...IPV4_PREFIX, ...text.split(".").map(Number));
  if (!isIPv6(text)) return null;
  const [groups = ""] = text.split("%", 1); // Remove the zone (RFC 4007 section 11).
  const gap = groups.indexOf("::");
  if (gap === -1) return Uint8Array.from(groupBytes(groups));
  const before = groupBytes(groups.slice(0, gap));
  const after = groupBytes(groups.slice(gap + 2));
  const zeros = new Array<number>(16 - before.length - after.length).fill(0);
  return Uint8Array.of(...before, ...zeros, ...after);
}

/** Parses an address, or a range such as 10.0.0.0/8 (RFC 4632 section 3.1); returns null for other text. */
export function parseRange(text: string): AddressRange | null {
  const [, address = "", length = ""] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = addressBytes(address);
  if (bytes === null) return null;
  const width = isIPv4(address) ? 32 : 128;
  const prefix = length === "" ? width : Number(length);
  return prefix > width ? null : { bytes, bits: 128 - width + prefix };
}

export function isInRange(address: Uint8Array, { bytes, bits }: AddressRange): boolean {
  const whole = bits >> 3;
  for (let index = 0; index < whole; index++) if (address[index] !== bytes[index]) return false;
  const mask = 0xff00 >> (bits & 7);
  return (address[whole] & mask & 0xff) === (bytes[whole] & mask & 0xff);
}

/**
 * Parses one entry of X-Forwarded-For: an address, IPv6 with or without brackets, and an optional port. Returns null
 * for anything else, such as `unknown`.
 */
export function parseForwardedAddress(text: string): Address | null {
  const [, inBrackets = "", plain = text, digits = ""] = FORWARDED_ADDRESS.exec(text) ?? [];
  const address = inBrackets === "" ? plain : inBrackets;
  const isAddress = isIPv6(address) || (isIPv4(address) && inBrackets === "");
  const port = Number(digits);
  // A zone is meaningful only on the machine that wrote it.
  return isAddress && !address.includes("%") && port <= 65_535 ? { address, port } : null;
}

export function isLoopbackAddress(text: string): boolean {
  const bytes = addressBytes(text);
  return bytes !== null && LOOPBACK.some((range) => isInRange(bytes, range));
}

const IPV4_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

export const LOOPBACK = ranges("127.0.0.0/8", "::1");
export const LINK_LOCAL = ranges("169.254.0.0/16", "fe80::/10");
export const UNIQUE_LOCAL = ranges("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7");

function ranges(...texts: readonly string[]): readonly AddressRange[] {
  return texts.map(parseRange).filter((range) => range !== null);
}

/** Matches `[address]:port`, `[address]` and `a.b.c.d:port`. */
const FORWARDED_ADDRESS = /^(?:\[([^\]]*)\]|([0-9.]+))(?::([0-9]{1,5}))?$/;

/** Returns the bytes of a part of an IPv6 address without "::". The last group may be an IPv4 address. */
function groupBytes(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
