// Whether a server uses TLS, decided without loading node:tls.

import type { Server as NetServer } from "node:net";
import type { Server as TlsServer } from "node:tls";
import { nodeModule } from "../../protocol/node-module.js";

/** Whether the server's sockets speak TLS. Most others lack the method, so they do not load node:tls. */
export function isTlsServer(server: NetServer): server is TlsServer {
  return "setSecureContext" in server && server instanceof nodeModule("node:tls").Server;
}
