// The options of Node's zlib for one message.

import type { ZlibOptions } from "node:zlib";

/** Constants of zlib.h, with its names. */
export const Z_SYNC_FLUSH = 2;
export const Z_FINISH = 4;

export interface DeflateLevels {
  /** 8 to 15. */
  readonly windowBits: number;
  readonly level: number;
  readonly memLevel: number;
}

export function deflateZlibOptions(
  { windowBits, level, memLevel }: DeflateLevels,
  dictionary: Uint8Array | undefined,
): ZlibOptions {
  return {
    level,
    memLevel,
    windowBits: rawWindowBits(windowBits),
    finishFlush: Z_SYNC_FLUSH,
    ...dictionaryOption(dictionary),
  };
}

export function inflateZlibOptions(windowBits: number, dictionary: Uint8Array | undefined): ZlibOptions {
  return {
    windowBits: rawWindowBits(windowBits),
    finishFlush: Z_FINISH,
    ...dictionaryOption(dictionary),
  };
}

/**
 * zlib supports no raw window of 2^8 and uses 2^9 instead. It never refers to the last 262 bytes of a window, so its
 * output for 2^9 can be read with 2^8 as well.
 */
function rawWindowBits(windowBits: number): number {
  return Math.max(9, windowBits);
}

function dictionaryOption(dictionary: Uint8Array | undefined): Pick<ZlibOptions, "dictionary"> {
  return dictionary === undefined || dictionary.length === 0 ? {} : { dictionary };
}
