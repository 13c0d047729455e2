// Whether a server uses TLS, decided without loading node:tls.

import type { Server as NetServer } from "node:net";
import { nodeModule } from "../../protocol/node-module.js";

/**
 * Whether the server's sockets speak TLS. Most others lack the method, so they do not load node:tls. On Bun, a server of
 * node:https lacks it, too.
 */
export function isTlsServer(server: NetServer): boolean {
  if ("setSecureContext" in server) return server instanceof nodeModule("node:tls").Server;
  return "bun" in process.versions && server instanceof nodeModule("node:https").Server;
}
