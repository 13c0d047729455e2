// A message as it is published and stored: one byte for its kind, then the data.

import type { TopicMessage } from "holdfast/topics";

const TEXT = 1;
const NOT_COMPRESSED = 2;

export function encodeFrame(data: Uint8Array | string, compress: boolean): Uint8Array {
  const isText = typeof data === "string";
  const size = isText ? Buffer.byteLength(data) : data.length;
  const frame = Buffer.allocUnsafe(size + 1);
  frame[0] = (isText ? TEXT : 0) | (compress ? 0 : NOT_COMPRESSED);
  if (isText) frame.write(data, 1);
  else frame.set(data, 1);
  return frame;
}

/** Null if another program published it. */
export function decodeFrame(
  topic: string,
  frame: Uint8Array,
  place: { readonly epoch: string; readonly offset: number } | null,
): TopicMessage | null {
  const kind = frame.at(0);
  if (kind === undefined || kind > (TEXT | NOT_COMPRESSED)) return null;
  const bytes = frame.subarray(1);
  return {
    type: "message",
    topic,
    // Copied: a slice would keep the whole chunk of the socket in memory.
    data: (kind & TEXT) === 0 ? new Uint8Array(bytes) : decoder.decode(bytes),
    offset: place?.offset ?? null,
    epoch: place?.epoch ?? null,
    compress: (kind & NOT_COMPRESSED) === 0,
  };
}

// A byte order mark is part of a message.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
