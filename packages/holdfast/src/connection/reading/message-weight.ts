// The memory of waiting messages. It includes the overhead of each message: otherwise a peer could fill a hundred times the
// configured memory with a million messages of one byte.

import type { Unread } from "./inbox.js";

/** Bytes of a string's object and of its place in the queue (measured, Node 20). */
const STRING_OVERHEAD = 32;
/**
 * Bytes of a `Uint8Array` beyond its payload: a view, its buffer, and the memory that V8 keeps for them outside its
 * heap.
 */
const BYTES_OVERHEAD = 216;

/** Bytes of memory that a waiting message takes in addition to its length. */
export function overheadOf(message: string | Uint8Array): number {
  return typeof message === "string" ? STRING_OVERHEAD : BYTES_OVERHEAD;
}

/** A socket delivers up to this many bytes at once, so a lower limit would save nothing. */
const LEAST_MEMORY = 64 * 1024;

/** For queues that are limited in number only, once that limit is suspended. */
const DEFAULT_LIMIT = 1024 * 1024;

/** The option `maxQueue`. */
export interface QueueLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/** The number of messages that wait, and their memory. */
export class MessageWeight implements Unread {
  #length = 0;
  #bytes = 0;
  #overhead = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  count(message: string | Uint8Array): void {
    this.#length++;
    this.#bytes += message.length;
    this.#overhead += overheadOf(message);
  }

  /** @param overhead the sum of `overheadOf()` these messages */
  subtract(length: number, bytes: number, overhead: number): void {
    this.#length -= length;
    this.#bytes -= bytes;
    this.#overhead -= overhead;
  }

  /** Whether the messages exceed `limit` bytes, or are so many small ones that they take twice that in memory. */
  isOver(limit: number): boolean {
    return this.#bytes > limit || this.isOverMemory(limit);
  }

  /** Whether the messages take more memory than twice the limit. */
  isOverMemory(limit: number): boolean {
    return this.#bytes + this.#overhead > Math.max(LEAST_MEMORY, 2 * limit);
  }

  /** Whether the messages exceed one of the limits. If these are stretched, only the memory counts, not the number. */
  isOverLimits({ maxQueuedMessages, maxQueuedBytes }: QueueLimits, isStretched: boolean): boolean {
    if (!isStretched) return this.#length > maxQueuedMessages || this.isOver(maxQueuedBytes);
    const hasOwnLimit = maxQueuedMessages === Infinity || maxQueuedBytes < Infinity;
    return this.isOverMemory(hasOwnLimit ? maxQueuedBytes : DEFAULT_LIMIT);
  }

  /** Whether at most a quarter of each limit waits, so that reading may continue. */
  isLow({ maxQueuedMessages, maxQueuedBytes }: QueueLimits): boolean {
    return this.#length <= maxQueuedMessages / 4 && this.isBelowLowWater(maxQueuedBytes);
  }

  /** Whether so little waits that reading may continue: at most a quarter of the limit. */
  isBelowLowWater(limit: number): boolean {
    const memory = this.#bytes + this.#overhead;
    return this.#bytes <= limit / 4 && memory <= Math.max(LEAST_MEMORY, 2 * limit) / 4;
  }
}
