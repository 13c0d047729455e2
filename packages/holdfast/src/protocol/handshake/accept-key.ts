// The proof that a server has understood the handshake.

import { nodeModule } from "../node-module.js";

const crypto = nodeModule("node:crypto");

/** The `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (RFC 6455 sections 1.3 and 4.2.2). */
export function acceptKey(key: string): string {
  return sha1(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
}

// The one-shot hash takes half the time; Node has it since 20.12.
const sha1: (text: string) => string =
  typeof crypto.hash === "function"
    ? (text) => crypto.hash("sha1", text, "base64")
    : (text) => crypto.createHash("sha1").update(text).digest("base64");
