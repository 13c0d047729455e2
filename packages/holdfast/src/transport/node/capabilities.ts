// The capabilities of connections in Node.js, Bun and Deno.

import type { Capabilities } from "../../connection/capabilities.js";

/** The features of connections in this environment: all of them. */
export const capabilities: Capabilities = Object.freeze({
  pings: true,
  headers: true,
  tls: true,
  compression: true,
  backpressure: true,
  fragments: true,
  closeCodes: true,
  terminate: true,
  openErrors: true,
  addresses: true,
});
