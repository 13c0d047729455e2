/** Bytes, or a string that stands for its latin1 bytes, one per character. */
export type BytesLike = Uint8Array | string;

/** A copy as a plain `Uint8Array`, so that neither side sees changes to the other's memory. */
export function toBytes(data: BytesLike): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(typeof data === "string" ? Buffer.from(data, "latin1") : data);
}

export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(chunks));
}

/** Formats bytes for error messages: printable, and short however many there are. */
export function describeBytes(bytes: Uint8Array): string {
  const shown = JSON.stringify(Buffer.from(bytes.subarray(0, 64)).toString("latin1"));
  return bytes.length > 64 ? `${shown}… (${bytes.length} bytes)` : shown;
}
