// Determines the origin of a request: the socket's peer, or the client that a trusted proxy reports.

import type { FaultLogger } from "../../connection/platform.js";
import type { Address } from "../../connection/ports.js";
import { parseAuthority } from "../../protocol/handshake/authority.js";
import type { HeaderList } from "../../protocol/handshake/header-list.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import type { RequestOrigin } from "./request-origin.js";
import { isLoopbackAddress, parseForwardedAddress } from "./ip-address.js";
import { withoutThrowing, UNIX, type ProxyTrust } from "./trust.js";

/**
 * Returns the origin as a trusted proxy reports it in X-Forwarded-For, -Host and -Proto. Returns `origin` itself if the
 * peer is not a trusted proxy, whatever its headers say. The Forwarded header (RFC 7239) is ignored: a proxy that
 * writes one kind of header passes the client's own version of the other kind on.
 */
export function locateClient(
  { headers }: RequestHead,
  origin: RequestOrigin,
  trust: ProxyTrust | null,
  logger: FaultLogger | null,
): RequestOrigin {
  if (trust === null) return origin;
  const { transport } = origin;
  const { remoteAddress: peer, localAddress } = transport;
  const trusts = withoutThrowing(trust, logger);
  // A TCP client that has disconnected has no address either, and is not trusted.
  const peerName = peer?.address ?? (transport.isUnix === true ? UNIX : null);
  if (peerName === null || !trusts(peerName, 0)) return origin;

  const chain = entriesOf(headers, "X-Forwarded-For");
  let remoteAddress = peer;
  let proxies = 1;
  for (let hop = 1; hop <= chain.length; hop++) {
    // An entry that is not an address, such as `unknown`, hides all entries before it.
    const address = parseForwardedAddress(chain[chain.length - hop] ?? "");
    if (address === null) break;
    remoteAddress = address;
    if (hop === chain.length || !trusts(address.address, hop)) break;
    proxies++;
  }
  return {
    transport: { remoteAddress, localAddress },
    source: origin.source,
    isSecure: isSecureScheme(entryOf(headers, "X-Forwarded-Proto", proxies)) ?? origin.isSecure,
    host: validHost(entryOf(headers, "X-Forwarded-Host", proxies)),
    isForwarded: true,
  };
}

/**
 * Whether the client is on this machine. A header that names another client counts, trusted or not: a proxy on this
 * machine may forward remote clients.
 */
export function isFromLoopback({ headers }: RequestHead, { transport }: RequestOrigin): boolean {
  const isLocal = ({ address }: Address): boolean => isLoopbackAddress(address);
  const { remoteAddress } = transport;
  if (remoteAddress === null || !isLocal(remoteAddress)) return false;
  return !namesOtherClient(headers, isLocal);
}

/** Whether X-Forwarded-For or Forwarded names another client, or hides it. */
function namesOtherClient(headers: HeaderList, isLocal: (address: Address) => boolean): boolean {
  return [...entriesOf(headers, "X-Forwarded-For"), ...forwardedNodes(headers)].some((node) => {
    const address = parseForwardedAddress(node);
    return address === null || !isLocal(address);
  });
}

/** The clients and proxies that `for=` names in Forwarded (RFC 7239 section 4), without obfuscated ports (section 6.3). */
function forwardedNodes(headers: HeaderList): readonly string[] {
  const pairs = headers.get("Forwarded")?.match(FORWARDED_PAIR) ?? [];
  return pairs
    .map((pair) => /^for\s*=(.*)$/i.exec(pair.trim())?.[1])
    .filter((node) => node !== undefined)
    .map((node) => node.replace(/["\\]/g, "").replace(/:_[\w.-]+$/, ""));
}

/** Text without semicolons and commas, except in quotes. */
const FORWARDED_PAIR = /(?:"(?:[^"\\]|\\.)*"|[^;,"])+/g;

/** Returns the entries of a field, with the nearest proxy's entry last. A proxy may add a line instead of an entry. */
function entriesOf(headers: HeaderList, name: string): readonly string[] {
  const value = headers.get(name);
  if (value === null) return [];
  return value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** Returns the entry that the farthest trusted proxy wrote. Most proxies replace the field, which leaves one entry. */
function entryOf(headers: HeaderList, name: string, proxies: number): string | null {
  const entries = entriesOf(headers, name);
  return entries[Math.max(0, entries.length - proxies)] ?? null;
}

/** Returns null for any other scheme. Some proxies write `wss` for an upgrade. */
function isSecureScheme(scheme: string | null): boolean | null {
  switch (scheme?.toLowerCase()) {
    case "https":
    case "wss":
      return true;
    case "http":
    case "ws":
      return false;
    default:
      return null;
  }
}

function validHost(host: string | null): string | null {
  return host !== null && parseAuthority(host) !== null ? host : null;
}
