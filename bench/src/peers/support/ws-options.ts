import type { ServerOptions } from "ws";
import { deflateSetting } from "./program.js";

/** The options of both ws peers: the defaults, plus compression if the bench requests it. */
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
