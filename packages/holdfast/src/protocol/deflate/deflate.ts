// Compresses one message (RFC 7692 section 7.2.1).

import { constants, deflateRaw, deflateRawSync, type ZlibOptions } from "node:zlib";
import { HoldfastError } from "../../shared/errors.js";

export interface DeflateOptions {
  /** 8 to 15. */
  readonly windowBits: number;
  readonly level: number;
  readonly memLevel: number;
  /** What went before; undefined or empty for nothing. */
  readonly dictionary: Uint8Array | undefined;
}

/**
 * Up to this many bytes a message is compressed at once, which takes up to a millisecond for text that compresses
 * badly; larger ones go to a thread, which costs some 100 µs more (measured, Node 20).
 */
const SYNC_UP_TO = 32 * 1024;

/** An empty stored block ends what zlib flushes; it does not travel (section 7.2.1). */
const TAIL_LENGTH = 4;

/** @throws HoldfastError, or rejects with it, where zlib fails: for want of memory */
export function deflate(payload: Uint8Array, options: DeflateOptions): Uint8Array | Promise<Uint8Array> {
  if (payload.length <= SYNC_UP_TO) return deflateNow(payload, options);
  // The thread reads the dictionary later, when the window has gone on.
  const dictionary = options.dictionary === undefined ? undefined : new Uint8Array(options.dictionary);
  return new Promise((resolve, reject) => {
    deflateRaw(payload, zlibOptions(payload, { ...options, dictionary }), (error, compressed) => {
      if (error === null) resolve(withoutTail(compressed));
      else reject(failed(error));
    });
  });
}

function deflateNow(payload: Uint8Array, options: DeflateOptions): Uint8Array {
  try {
    return withoutTail(deflateRawSync(payload, zlibOptions(payload, options)));
  } catch (error) {
    throw failed(error);
  }
}

function failed(cause: unknown): HoldfastError {
  return new HoldfastError("Compressing a message failed", { code: "ERR_HOLDFAST_COMPRESSION", cause });
}

function zlibOptions(payload: Uint8Array, options: DeflateOptions): ZlibOptions {
  const { level, memLevel, dictionary } = options;
  return {
    level,
    memLevel,
    // zlib has no raw window of 2^8 and takes one of 2^9. It never looks back to the last 262 bytes of a window,
    // so what it writes with 2^9 can be read with 2^8 as well.
    windowBits: Math.max(9, options.windowBits),
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: Math.min(64 * 1024, Math.max(1024, payload.length)),
    ...(dictionary === undefined || dictionary.length === 0 ? {} : { dictionary }),
  };
}

function withoutTail(compressed: Uint8Array): Uint8Array {
  return compressed.subarray(0, compressed.length - TAIL_LENGTH);
}
