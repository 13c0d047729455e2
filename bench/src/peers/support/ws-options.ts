import type { ServerOptions } from "ws";
import { deflateSetting } from "./program.js";

/** The options of both ws peers: its defaults, and compression when the bench asks for it. */
export function wsOptions(): ServerOptions {
  const address = { host: "127.0.0.1", port: 0 };
  switch (deflateSetting()) {
    case "off":
      return address;
    case "context":
      return { ...address, perMessageDeflate: true };
    case "no-context":
      return {
        ...address,
        perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true },
      };
  }
}
