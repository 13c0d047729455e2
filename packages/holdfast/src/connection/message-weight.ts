// What a message that waits costs beside its bytes. A peer that sends a million messages of one byte must not fill a
// hundred times the memory that its bytes are counted as.

import type { Message } from "./inbox.js";

/** Bytes of a string's object, and its place in the queue (measured, Node 20). */
const STRING_OVERHEAD = 32;
/** The same of a `Uint8Array`: a view, its buffer, and what V8 keeps of them outside of its heap. */
const BYTES_OVERHEAD = 216;

/** Bytes of memory that a message takes in addition to its length, while it waits. */
export function overheadOf(message: Message): number {
  return typeof message === "string" ? STRING_OVERHEAD : BYTES_OVERHEAD;
}

/** A socket hands over up to so much at once: with less there is nothing to be gained. */
const LEAST_MEMORY = 64 * 1024;

/** Whether more waits than `limit` bytes, or so many small messages that they take twice that in memory. */
export function isOver(limit: number, bytes: number, overhead: number): boolean {
  return bytes > limit || isOverMemory(limit, bytes, overhead);
}

/** Whether it takes more memory than twice the limit. */
export function isOverMemory(limit: number, bytes: number, overhead: number): boolean {
  return bytes + overhead > Math.max(LEAST_MEMORY, 2 * limit);
}

/** Whether so little waits that reading may go on: a quarter. */
export function isBelowLowWater(limit: number, bytes: number, overhead: number): boolean {
  return bytes <= limit / 4 && bytes + overhead <= Math.max(LEAST_MEMORY, 2 * limit) / 4;
}
