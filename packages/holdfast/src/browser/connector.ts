// Implements the port `Connector` of reconnect/ for browsers.

import type { Connector } from "../reconnect/connector.js";
import { browserRuntime } from "../transport/browser/browser-runtime.js";
import { parseBrowserURL } from "./browser-url.js";
import { open } from "./connect.js";
import { checkConnectOptions, type ConnectOptions } from "./options.js";
import { watchReturns } from "./page-lifecycle.js";

export const browserConnector: Connector<ConnectOptions> = {
  get runtime() {
    return browserRuntime();
  },
  checkOptions: (options) => checkConnectOptions(options).connection,
  describeURL: (url) => parseBrowserURL(url).href,
  open,
  watchReturns,
};
