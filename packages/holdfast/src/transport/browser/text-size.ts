// Compares the size of a message with a limit in bytes.

const encoder = new TextEncoder();

/** Whether a message is longer than `limit` bytes. Text is encoded only if its length does not decide. */
export function exceeds(message: string | Uint8Array, limit: number): boolean {
  if (message.length > limit) return true; // A code unit takes at least one byte,
  if (typeof message !== "string" || message.length * 3 <= limit) return false; // and at most three.
  return encoder.encode(message).length > limit;
}
