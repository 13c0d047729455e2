// Identifies which WebSockets can share an HTTP/2 connection: those with the same origin and dial options.

import { unbound } from "../../connection/platform.js";
import type { WebSocketURL } from "../../protocol/handshake/url.js";
import type { DialTarget, DialOptions } from "../dial/dial-target.js";

/** Returns the key; null for a stream of the application, which serves one connection. */
export function sessionKey(
  target: DialTarget,
  { origin }: WebSocketURL,
  { tcp, tls, headLimits }: DialOptions,
): string | null {
  if (target.kind === "stream") return null;
  return [origin, ...[target, tcp, tls ?? {}, headLimits].map(keyOfObject)].join(" ");
}

/** Compares plain values and lists by value, everything else (certificates, functions) by identity. */
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
  // Settings of proxies and TLS are copied for each connection, so they are compared by value.
  if ("href" in value || Object.getPrototypeOf(value) === Object.prototype) return keyOfObject(value);
  const original = unbound(value);
  let identity = identities.get(original);
  if (identity === undefined) identities.set(original, (identity = ++count));
  return `object ${identity}`;
}

const identities = new WeakMap<object, number>();
let count = 0;
