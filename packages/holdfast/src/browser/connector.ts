// Opens the connections of clients in browsers.

import type { Connector } from "../persist/connector.js";
import { browserRuntime } from "./browser-runtime.js";
import { parseBrowserURL } from "./browser-url.js";
import { open } from "./connect.js";
import { checkConnectOptions, type ConnectOptions } from "./options.js";
import { watchReturns } from "./page-life.js";

export const browserConnector: Connector<ConnectOptions> = {
  get runtime() {
    return browserRuntime();
  },
  checkOptions: (options) => checkConnectOptions(options).connection,
  describeURL: (url) => parseBrowserURL(url).href,
  open,
  watchReturns,
};
