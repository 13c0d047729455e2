// Sizes of messages against a limit in bytes.

import type { Message } from "../../connection/inbox.js";

const encoder = new TextEncoder();

/** Whether a message is longer than `limit` bytes; a text is encoded only where its length does not tell. */
export function exceeds(message: Message, limit: number): boolean {
  if (message.length > limit) return true; // A code unit takes at least one byte,
  if (typeof message !== "string" || message.length * 3 <= limit) return false; // and three at most.
  return encoder.encode(message).length > limit;
}
