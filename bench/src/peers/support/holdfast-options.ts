import type { ServeOptions } from "holdfast";
import { deflateSetting, isRawText, pingInterval } from "./program.js";

/** The options of the holdfast peers: its defaults, keepalive and latency among them. */
export function holdfastOptions(): ServeOptions {
  const interval = pingInterval();
  return {
    ...{ host: "127.0.0.1", port: 0 },
    // The load generator asks for no context takeover in its offer, and the server has to agree.
    ...(deflateSetting() === "off" ? {} : { compression: true }),
    ...(isRawText() ? { text: "bytes" } : {}),
    ...(interval === null ? {} : { pingInterval: interval }),
  };
}
