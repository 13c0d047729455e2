// Checks the server's answer to an upgrade request.

import type { IncomingMessage } from "node:http";
import type { Adopter, AgreedCompression } from "holdfast/adapter";
import { acceptKey } from "./accept-key.js";

/** The parts of the request that the answer has to match. */
export interface Offer {
  readonly key: string;
  /** The subprotocols. */
  readonly offered: ReadonlySet<string>;
  readonly adopter: Adopter;
}

export interface Agreement {
  readonly protocol: string;
  readonly compression: AgreedCompression | null;
}

/** The agreed parameters, or the reason why the answer is invalid (RFC 6455 section 4.1). */
export function checkAnswer(
  { headers }: IncomingMessage,
  { key, offered, adopter }: Offer,
): Agreement | string {
  if (headers.upgrade?.toLowerCase() !== "websocket") return "Invalid Upgrade header";
  if (headers["sec-websocket-accept"] !== acceptKey(key)) return "Invalid Sec-WebSocket-Accept header";
  const protocol = headers["sec-websocket-protocol"];
  if (protocol === undefined) {
    if (offered.size > 0) return "Server sent no subprotocol";
  } else if (offered.size === 0) {
    return "Server sent a subprotocol but none was requested";
  } else if (!offered.has(protocol)) {
    return "Server sent an invalid subprotocol";
  }
  const extensions = headers["sec-websocket-extensions"];
  const compression = extensions === undefined ? null : readExtensions(extensions, adopter);
  return typeof compression === "string" ? compression : { protocol: protocol ?? "", compression };
}

function readExtensions(header: string, adopter: Adopter): AgreedCompression | string | null {
  if (adopter.offerCompression() === null)
    return "Server sent a Sec-WebSocket-Extensions header but no extension was requested";
  const names = header.split(",").map((extension) => extension.split(";", 1)[0]?.trim());
  if (/;\s*(?:=|;|,|$)/.test(header) || names.includes("")) return "Invalid Sec-WebSocket-Extensions header";
  if (names.length !== 1 || names[0] !== "permessage-deflate")
    return "Server indicated an extension that was not requested";
  try {
    return adopter.readCompression(header);
  } catch {
    return "Invalid Sec-WebSocket-Extensions header";
  }
}
