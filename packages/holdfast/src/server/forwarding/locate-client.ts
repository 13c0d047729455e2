// Where a request comes from: the peer of the socket or, where that is a trusted proxy, the client that it names.

import type { Address, Logger } from "../../connection/ports.js";
import { parseAuthority } from "../../protocol/handshake/authority.js";
import type { HeaderList } from "../../protocol/handshake/header-list.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import type { RequestOrigin } from "./request-origin.js";
import { parseForwardedAddress } from "./ip-address.js";
import { guarded, UNIX, type ProxyTrust } from "./trust.js";

/**
 * The origin as a trusted proxy describes it, by X-Forwarded-For, -Host and -Proto; `origin` itself where the peer is
 * no trusted proxy, whatever its headers say. The header Forwarded (RFC 7239) is not read: a proxy that writes one of
 * the two kinds passes the other one on as the client sent it.
 */
export function locateClient(
  { headers }: RequestHead,
  origin: RequestOrigin,
  trust: ProxyTrust | null,
  logger: Logger | null,
): RequestOrigin {
  if (trust === null) return origin;
  const { transport } = origin;
  const { remoteAddress: peer, localAddress } = transport;
  const trusts = guarded(trust, logger);
  // A TCP client that has gone has no address either, and is not believed.
  const peerName = peer?.address ?? (transport.isUnix === true ? UNIX : null);
  if (peerName === null || !trusts(peerName, 0)) return origin;

  const chain = entriesOf(headers, "X-Forwarded-For");
  let remoteAddress = peer;
  let proxies = 1;
  for (let hop = 1; hop <= chain.length; hop++) {
    // What is no address, such as `unknown`, hides all that stands in front of it.
    const address = parseForwardedAddress(chain[chain.length - hop] ?? "");
    if (address === null) break;
    remoteAddress = address;
    if (hop === chain.length || !trusts(address.address, hop)) break;
    proxies++;
  }
  return {
    transport: { remoteAddress, localAddress },
    isSecure: isSecureScheme(entryOf(headers, "X-Forwarded-Proto", proxies)) ?? origin.isSecure,
    host: validHost(entryOf(headers, "X-Forwarded-Host", proxies)),
    isForwarded: true,
  };
}

/** Whether an unbelieved X-Forwarded-For, or Forwarded, says that somebody else is the client. */
export function namesOtherClient(headers: HeaderList, isOwn: (address: Address) => boolean): boolean {
  if (headers.count("Forwarded") > 0) return true;
  return entriesOf(headers, "X-Forwarded-For").some((entry) => {
    const address = parseForwardedAddress(entry);
    return address === null || !isOwn(address);
  });
}

/** The entries of a field, the one of the nearest proxy last; a proxy may add a line instead of an entry. */
function entriesOf(headers: HeaderList, name: string): readonly string[] {
  const value = headers.get(name);
  if (value === null) return [];
  return value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** What the farthest of the trusted proxies wrote. Most proxies replace the field, and then there is one entry. */
function entryOf(headers: HeaderList, name: string, proxies: number): string | null {
  const entries = entriesOf(headers, name);
  return entries[Math.max(0, entries.length - proxies)] ?? null;
}

/** Null for what is no scheme of the web. Some proxies write `wss` for an upgrade. */
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
