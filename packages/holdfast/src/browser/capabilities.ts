// What browsers cannot do.

import type { Capabilities } from "../connection/capabilities.js";

/** What connections can do here: a page has the browser's `WebSocket`, and that knows messages only. */
export const capabilities: Capabilities = Object.freeze({
  pings: false,
  headers: false,
  tls: false,
  compression: false,
  backpressure: false,
  fragments: false,
  closeCodes: false,
  terminate: false,
  openErrors: false,
  addresses: false,
});
