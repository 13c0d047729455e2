// Orders addresses.

import type { Connection } from "../../../connection/connection.js";
import { plainAddress } from "../identity.js";

/** A number for which sorting puts the addresses of one network together; null if there is no address. */
export function addressKey({ remoteAddress }: Connection): number | null {
  if (remoteAddress === null) return null;
  const address = plainAddress(remoteAddress.address);
  if (address.includes(":")) return ipv6Key(address);
  const parts = address.split(".");
  if (parts.length !== 4) return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The first three groups, which identify the network, above every IPv4 address. */
function ipv6Key(address: string): number {
  const [head = ""] = address.split("::");
  const groups = [...head.split(":"), "0", "0", "0"].slice(0, 3);
  return groups.reduce((sum, group) => sum * 65_536 + (parseInt(group, 16) || 0), 0) + 2 ** 32;
}
