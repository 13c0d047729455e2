// Identifies which WebSockets can share an HTTP/2 connection: those with the same origin and dial options.

import type { WebSocketURL } from "../../protocol/handshake/url.js";
import type { DialTarget, DialOptions } from "../dial/dial-target.js";
import { readVariable } from "../../transport/node/environment.js";
import { keyOfObject } from "../dial/options-key.js";

/** Returns the key; null for a stream of the application, which serves one connection. */
export function sessionKey(
  target: DialTarget,
  { origin }: WebSocketURL,
  { tcp, tls, headLimits }: DialOptions,
): string | null {
  if (target.kind === "stream") return null;
  const verification = readVariable("NODE_TLS_REJECT_UNAUTHORIZED", process.env); // Node reads it for each connection.
  return [origin, verification, ...[target, tcp, tls ?? {}, headLimits].map(keyOfObject)].join(" ");
}
