// The memory of a waiting message beyond its payload. It counts towards the limits, so that a peer cannot fill a
// hundred times the configured memory with a million messages of one byte.

import type { Message } from "./inbox.js";

/** Bytes of a string's object and of its place in the queue (measured, Node 20). */
const STRING_OVERHEAD = 32;
/**
 * Bytes of a `Uint8Array` beyond its payload: a view, its buffer, and the memory that V8 keeps for them outside its
 * heap.
 */
const BYTES_OVERHEAD = 216;

/** Bytes of memory that a waiting message takes in addition to its length. */
export function overheadOf(message: Message): number {
  return typeof message === "string" ? STRING_OVERHEAD : BYTES_OVERHEAD;
}

/** A socket delivers up to this many bytes at once, so a lower limit would save nothing. */
const LEAST_MEMORY = 64 * 1024;

/** Whether the waiting messages exceed `limit` bytes, or are so many small ones that they take twice that in memory. */
export function isOver(limit: number, bytes: number, overhead: number): boolean {
  return bytes > limit || isOverMemory(limit, bytes, overhead);
}

/** Whether the waiting messages take more memory than twice the limit. */
export function isOverMemory(limit: number, bytes: number, overhead: number): boolean {
  return bytes + overhead > Math.max(LEAST_MEMORY, 2 * limit);
}

/** Whether so little waits that reading may continue: at most a quarter of the limit. */
export function isBelowLowWater(limit: number, bytes: number, overhead: number): boolean {
  return bytes <= limit / 4 && bytes + overhead <= Math.max(LEAST_MEMORY, 2 * limit) / 4;
}
