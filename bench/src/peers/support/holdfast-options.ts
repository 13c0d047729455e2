import type { ServeOptions } from "holdfast";
import { deflateSetting, hasSessions, isAdaptive, isRawText, pingInterval } from "./program.js";

/** The options of the holdfast peers: the defaults, including keepalive and latency. */
export function holdfastOptions(): ServeOptions {
  const interval = pingInterval();
  return {
    ...{ host: "127.0.0.1", port: 0 },
    // The load generator offers no context takeover, and the server has to agree.
    ...(deflateSetting() === "off" ? {} : { compression: true }),
    ...(hasSessions() ? { sessions: true } : {}),
    ...(isRawText() ? { text: "bytes" } : {}),
    ...(interval === null ? {} : { pingInterval: interval }),
    ...(isAdaptive() ? { detection: "adaptive" } : {}),
  };
}
