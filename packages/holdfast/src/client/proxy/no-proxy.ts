// The hosts that are reached without a proxy: the list that the variable `no_proxy` holds.

import { BlockList, isIP } from "node:net";
import { domainToASCII } from "node:url";

/** Where a connection goes: a name, or an address without brackets, and a port. */
export interface Destination {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Whether the list names the destination. Its elements, parted by commas or spaces, are:
 *
 * - `*`: every host;
 * - `example.com`, `.example.com` or `*.example.com`: this name and all names below it;
 * - `192.0.2.1`, `2001:db8::1`: this address, where the URL has an address (names are not looked up for it);
 * - `10.0.0.0/8`, `fd00::/8`: the addresses of this network;
 * - any of them with a port, `example.com:8443` or `[::1]:8080`: this port only.
 *
 * What is none of these names nothing.
 */
export function isExempt({ hostname, port }: Destination, list: string): boolean {
  const host = canonicalName(hostname);
  return list
    .split(/[\s,]+/)
    .filter((element) => element !== "")
    .some((element) => names(element, host, port));
}

function names(element: string, host: string, port: number): boolean {
  if (element === "*") return true;
  const { pattern, onlyPort } = splitPort(element);
  if (onlyPort !== null && onlyPort !== port) return false;
  if (pattern === "*") return true;
  if (isIP(host) === 0) return isNameWithin(host, pattern);
  return isAddressWithin(host, pattern);
}

/** A bare IPv6 address has colons as well, but never just one. */
function splitPort(element: string): { readonly pattern: string; readonly onlyPort: number | null } {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(element);
  if (match === null) return { pattern: element, onlyPort: null };
  const [, inBrackets = "", bare = "", port = ""] = match;
  return { pattern: inBrackets + bare, onlyPort: port === "" ? null : Number(port) };
}

function isNameWithin(host: string, pattern: string): boolean {
  const domain = canonicalName(pattern.replace(/^\*?\./, ""));
  return domain !== "" && (host === domain || host.endsWith(`.${domain}`));
}

function isAddressWithin(host: string, pattern: string): boolean {
  const [address, ...prefixes] = pattern.split("/");
  const version = isIP(address);
  if (version === 0) return false;
  const bits = version === 4 ? 32 : 128;
  const length = prefixes.length === 0 ? bits : prefixLength(prefixes);
  if (length > bits) return false;
  const network = new BlockList();
  network.addSubnet(withoutZone(address), length, version === 4 ? "ipv4" : "ipv6");
  return network.check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
}

/** Infinity for what is no length: no address has as many bits. */
function prefixLength(prefixes: readonly string[]): number {
  return prefixes.length === 1 && /^[0-9]{1,3}$/.test(prefixes[0]) ? Number(prefixes[0]) : Infinity;
}

/** RFC 4007 section 11: the zone says through which of our interfaces, not which address. */
function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}

/** Names as URLs have them: in lower case and ASCII; without the dot that only says that they are complete. */
function canonicalName(name: string): string {
  if (isIP(name) !== 0) return name;
  return (domainToASCII(name) || name.toLowerCase()).replace(/\.$/, "");
}
