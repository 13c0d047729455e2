// Compares the options of two connections.

import { unbound } from "../../connection/platform.js";

/** Plain values and lists count by value, everything else (certificates, functions) by identity. */
export function keyOfObject(options: object): string {
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
