// What Node.js, Bun and Deno can do.

import type { Capabilities } from "../../connection/capabilities.js";

/** What connections can do here: everything. */
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
