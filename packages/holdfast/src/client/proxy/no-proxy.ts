// Matches a host against `no_proxy`, the list of hosts that bypass the proxy.

import { BlockList, isIP } from "node:net";
import { domainToASCII } from "node:url";

/** A host name, or an IP address without brackets, and a port. */
export interface HostAndPort {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Whether the list contains the host. Its elements, separated by commas or spaces, are:
 *
 * - `*`: every host;
 * - `example.com`, `.example.com` or `*.example.com`: this name and all its subdomains;
 * - `192.0.2.1`, `2001:db8::1`: this address, if the URL contains an address (host names are not resolved);
 * - `10.0.0.0/8`, `fd00::/8`: the addresses of this network;
 * - any of them with a port, `example.com:8443` or `[::1]:8080`: this port only.
 *
 * Other elements match nothing.
 */
export function isExempt({ hostname, port }: HostAndPort, list: string): boolean {
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

/** Separates the port. An IPv6 address without brackets has at least two colons, so it is not split. */
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

/** Infinity if invalid, which is longer than any address. */
function prefixLength(prefixes: readonly string[]): number {
  return prefixes.length === 1 && /^[0-9]{1,3}$/.test(prefixes[0]) ? Number(prefixes[0]) : Infinity;
}

/** RFC 4007 section 11: the zone identifies a local interface and is not part of the address. */
function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}

/** Normalises a name as URLs do: lower case, ASCII, without the trailing dot. */
function canonicalName(name: string): string {
  if (isIP(name) !== 0) return name;
  return (domainToASCII(name) || name.toLowerCase()).replace(/\.$/, "");
}
