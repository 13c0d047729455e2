// Whether the zlib of this runtime can do what context takeover needs.

import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

/** The two functions of node:zlib that are put to the proof. */
export interface RawZlib {
  readonly deflateRawSync: typeof deflateRawSync;
  readonly inflateRawSync: typeof inflateRawSync;
}

let known: boolean | null = null;

/**
 * Whether dictionaries are heeded for raw streams, as zlib documents it (deflateSetDictionary). Deno, up to version 2.9
 * at least, takes the option and ignores it: what refers to an earlier message could neither be read nor written.
 */
export function hasDictionaries(): boolean {
  return (known ??= heedsDictionaries({ deflateRawSync, inflateRawSync }));
}

export function heedsDictionaries(zlib: RawZlib): boolean {
  // No byte twice: nothing in it can be made shorter but by a reference to the dictionary.
  const text = Uint8Array.from(Array(64).keys());
  const options = { dictionary: text, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    const compressed = zlib.deflateRawSync(text, options);
    return compressed.length < text.length && zlib.inflateRawSync(compressed, options).equals(text);
  } catch {
    return false; // A reference to a dictionary that is not there is an error of zlib.
  }
}
