// Implements the port `Connector` of reconnect/ for Node.js, Bun and Deno.

import { nodeRuntime } from "../transport/node/node-runtime.js";
import type { Connector } from "../reconnect/connector.js";
import { parseWebSocketURL } from "../protocol/handshake/url.js";
import { LazySessionCarrier } from "../transport/session/lazy-session-carrier.js";
import { open } from "./connect.js";
import { checkConnectOptions, type ConnectOptions } from "./options.js";
import { fixProxy } from "./dial/options.js";
import { TlsSessions } from "./dial/tls-sessions.js";

/** Makes the connector of one client, whose connections resume the TLS sessions of earlier ones. */
export function nodeConnector(): Connector<ConnectOptions> {
  const runtime = nodeRuntime();
  const tlsSessions = new TlsSessions(() => runtime.clock.wallNow());
  return {
    runtime,
    fixOptions: (options) => ({ ...options, ...fixProxy(options.proxy) }),
    checkOptions: (options) => checkConnectOptions(options).connection,
    describeURL: (url) => parseWebSocketURL(url).href,
    carrySession: (settings, handler) => new LazySessionCarrier(runtime, settings, handler),
    open: (url, options, observer) => open(url, options, observer, tlsSessions),
  };
}
