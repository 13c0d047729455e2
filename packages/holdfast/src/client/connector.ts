// Implements the port `Connector` of reconnect/ for Node.js, Bun and Deno.

import { nodeRuntime } from "../transport/node/node-runtime.js";
import type { Connector } from "../reconnect/connector.js";
import { parseWebSocketURL } from "../protocol/handshake/url.js";
import { ClientSessionCarrier } from "../transport/session/client-session-carrier.js";
import { open } from "./connect.js";
import { checkConnectOptions, type ConnectOptions } from "./options.js";
import { fixProxy } from "./dial/options.js";

export const nodeConnector: Connector<ConnectOptions> = {
  get runtime() {
    return nodeRuntime();
  },
  fixOptions: (options) => ({ ...options, ...fixProxy(options.proxy) }),
  checkOptions: (options) => checkConnectOptions(options).connection,
  describeURL: (url) => parseWebSocketURL(url).href,
  open,
  carrySession: (settings, handler) => new ClientSessionCarrier(nodeRuntime(), settings, handler),
};
