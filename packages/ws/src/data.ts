// The data that `send()`, `ping()` and `pong()` accept.

import { EMPTY_BUFFER } from "./constants.js";

export function isBlob(value: unknown): value is Blob {
  return value instanceof Blob;
}

/** The bytes of `data`, shared where possible; as `Buffer.from()` for anything else. @throws TypeError */
export function toBuffer(data: unknown): Buffer {
  if (Buffer.isBuffer(data)) return data;
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(data as string); // Throws a TypeError that lists what it accepts.
}

/** The number of bytes that `data` takes. */
export function sizeOf(data: unknown): number {
  if (data === undefined || data === null || data === "") return 0;
  return isBlob(data) ? data.size : toBuffer(data).length;
}

/** The payload of a Ping or Pong. @throws RangeError beyond 125 bytes (RFC 6455 section 5.5) */
export function controlPayload(data: unknown): Buffer {
  const payload = data === undefined || data === null || data === "" ? EMPTY_BUFFER : toBuffer(data);
  if (payload.length > 125) throw new RangeError("The data size must not be greater than 125 bytes");
  return payload;
}
