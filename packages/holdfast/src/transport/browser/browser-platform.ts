// The platform port in a page or a worker.

import type { Platform } from "../../connection/platform.js";

export const browserPlatform: Platform = {
  captureContext: () => null,
  warn: (message, error) => globalThis.console.warn(`holdfast: ${message}`, error),
  faultLogger: {
    error: (message, details) => globalThis.console.error(`holdfast: ${message}`, details),
    warn: (message, details) => globalThis.console.warn(`holdfast: ${message}`, details),
  },
};
