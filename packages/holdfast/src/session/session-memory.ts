// Counts the memory of kept messages, for all sessions of a process together.

import { TextBytes } from "../shared/text-bytes.js";

/** A text message is a string or its UTF-8, a binary message its bytes. Bytes must belong to the session: copy them. */
export type SessionMessageData = string | TextBytes | Uint8Array;

/** The caller may reuse the memory of bytes, and a replay may come much later. */
export function copyOf(data: SessionMessageData): SessionMessageData {
  if (typeof data === "string") return data;
  return data instanceof TextBytes ? new TextBytes(data) : new Uint8Array(data);
}

/** Added up by every session that shares it. */
export interface MemoryMeter {
  /** Bytes, estimated: the payloads, and an overhead for each message. */
  used: number;
}

/** Bytes that a kept message takes beside its payload: its slot in the ring, and the head of a string. */
export const MESSAGE_OVERHEAD = 64;

/** The same for bytes: a typed array and its buffer, as measured in Node. */
const BYTES_OVERHEAD = 224;

/** Bytes that a kept message takes. */
export function memoryOf(data: SessionMessageData): number {
  return (typeof data === "string" ? MESSAGE_OVERHEAD : BYTES_OVERHEAD) + data.length;
}

/** Adds a message that is kept. */
export function charge(meter: MemoryMeter, message: SessionMessageData | SharedPayload): void {
  meter.used += message instanceof SharedPayload ? message.retain() : memoryOf(message);
}

/** Subtracts a message that was added. */
export function discharge(meter: MemoryMeter, message: SessionMessageData | SharedPayload): void {
  meter.used -= message instanceof SharedPayload ? message.release() : memoryOf(message);
}

/** A payload that many sessions keep, such as a broadcast: the meter counts it once, until the last one has released it. */
export class SharedPayload {
  readonly data: SessionMessageData;
  #holders = 0;

  constructor(data: SessionMessageData) {
    this.data = data;
  }

  /** A session keeps it. Returns the bytes to add to the meter. */
  retain(): number {
    return this.#holders++ === 0 ? memoryOf(this.data) : MESSAGE_OVERHEAD;
  }

  /** A session has dropped it. Returns the bytes to subtract from the meter. */
  release(): number {
    return --this.#holders === 0 ? memoryOf(this.data) : MESSAGE_OVERHEAD;
  }
}
