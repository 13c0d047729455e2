// Compresses one message (RFC 7692 section 7.2.1).

import { constants, deflateRaw, deflateRawSync, type ZlibOptions } from "node:zlib";
import { HoldfastError } from "../../shared/errors.js";

export interface DeflateOptions {
  /** 8 to 15. */
  readonly windowBits: number;
  readonly level: number;
  readonly memLevel: number;
  /** The preceding plaintext; undefined or empty for none. */
  readonly dictionary: Uint8Array | undefined;
}

/**
 * Messages of up to this many bytes are compressed synchronously, which takes up to a millisecond for text that compresses
 * badly. Larger ones are compressed in a thread, which costs some 100 µs more (measured on Node 20).
 */
const SYNC_UP_TO = 32 * 1024;

/** zlib ends a flush with an empty stored block, which is removed before sending (section 7.2.1). */
const TAIL_LENGTH = 4;

/** @throws HoldfastError, or rejects with it, if zlib fails, for example for lack of memory */
export function deflate(payload: Uint8Array, options: DeflateOptions): Uint8Array | Promise<Uint8Array> {
  if (payload.length <= SYNC_UP_TO) return deflateNow(payload, options);
  // Copy the dictionary: the thread reads it later, when the window has changed.
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
    // zlib supports no raw window of 2^8 and uses 2^9 instead. It never refers to the last 262 bytes of a window, so its
    // output for 2^9 can be read with 2^8 as well.
    windowBits: Math.max(9, options.windowBits),
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: Math.min(64 * 1024, Math.max(1024, payload.length)),
    ...(dictionary === undefined || dictionary.length === 0 ? {} : { dictionary }),
  };
}

function withoutTail(compressed: Uint8Array): Uint8Array {
  return compressed.subarray(0, compressed.length - TAIL_LENGTH);
}
