import type { ServeOptions } from "holdfast";
import { deflateSetting } from "./program.js";

/** The options of both holdfast peers: its defaults, keepalive and latency among them. */
export function holdfastOptions(): ServeOptions {
  const address = { host: "127.0.0.1", port: 0 };
  switch (deflateSetting()) {
    case "off":
      return address;
    // The load generator asks for no context takeover in its offer, and the server has to agree.
    case "context":
    case "no-context":
      return { ...address, compression: true };
  }
}
