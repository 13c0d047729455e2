// What WebSockets need to have in common to share an HTTP/2 connection.

import { unbound } from "../../connection/platform.js";
import type { WebSocketURL } from "../../protocol/handshake/url.js";
import type { DialTarget, DialOptions } from "../dial/dial-target.js";

/** Null for a way that leads to one connection only. */
export function sessionKey(
  road: DialTarget,
  { origin }: WebSocketURL,
  { tcp, tls, headLimits }: DialOptions,
): string | null {
  if (road.kind === "stream") return null;
  return [origin, ...[road, tcp, tls ?? {}, headLimits].map(keyOfObject)].join(" ");
}

/** Plain values and lists by what they are, everything else (certificates, functions) by which object it is. */
function keyOfObject(options: object): string {
  const entries = Object.entries(options).map(([name, value]: [string, unknown]) => [
    name,
    keyOfValue(value),
  ]);
  return JSON.stringify(entries.sort());
}

function keyOfValue(value: unknown): string {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") {
    return `${typeof value} ${String(value)}`;
  }
  if (Array.isArray(value)) return JSON.stringify(value.map(keyOfValue));
  // The settings of a proxy, which are made for each connection anew, and its options of TLS.
  if ("href" in value || Object.getPrototypeOf(value) === Object.prototype) return keyOfObject(value);
  const original = unbound(value);
  let identity = identities.get(original);
  if (identity === undefined) identities.set(original, (identity = ++count));
  return `object ${identity}`;
}

const identities = new WeakMap<object, number>();
let count = 0;
