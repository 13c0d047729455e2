// The one write of a turn.

import type { ByteStream } from "../../connection/ports.js";
import type { Slab, SlabOwner } from "./slab.js";

/** Several small chunks are joined for the socket: to hand them over one by one costs Node more than a copy. */
const JOIN_AT_MOST = 16 * 1024;

/**
 * Hands the chunks, which hold `bytes` bytes, to the transport; the memory of those that it took at once is used again.
 * Returns whether it took everything.
 */
export function writeChunks(
  transport: ByteStream,
  chunks: readonly Uint8Array[],
  bytes: number,
  slab: Slab,
): boolean {
  if (chunks.length === 1) {
    const isTaken = transport.write(chunks);
    if (isTaken) slab.release(chunks[0]);
    return isTaken;
  }
  const joined = bytes <= JOIN_AT_MOST ? join(chunks, bytes, slab) : null;
  const isTaken = transport.write(joined === null ? chunks : [joined]);
  if (!isTaken) return false;
  if (joined !== null) slab.release(joined);
  for (let index = chunks.length - 1; index >= 0; index--) slab.release(chunks[index]);
  return true;
}

/** The chunks side by side in the slab. */
function join(chunks: readonly Uint8Array[], bytes: number, slab: Slab): Uint8Array {
  slab.open(NOBODY, bytes);
  const start = slab.position;
  let end = start;
  for (const chunk of chunks) {
    slab.bytes.set(chunk, end);
    end += chunk.length;
  }
  slab.advance(end);
  slab.leave();
  return slab.bytes.subarray(start, end);
}

/** The region is complete when it is left. */
const NOBODY: SlabOwner = { closeRegion: () => undefined };
