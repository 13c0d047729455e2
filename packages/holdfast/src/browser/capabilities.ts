// The capabilities of connections in browsers.

import type { Capabilities } from "../connection/capabilities.js";

/** The features of connections in this environment. The browser's `WebSocket` exposes only messages to pages. */
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
