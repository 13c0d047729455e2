// Detects whether the zlib of this runtime supports dictionaries, which context takeover needs.

import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

/** The two functions of node:zlib that are tested. */
export interface RawZlib {
  readonly deflateRawSync: typeof deflateRawSync;
  readonly inflateRawSync: typeof inflateRawSync;
}

let known: boolean | null = null;

/**
 * Whether raw streams use the option `dictionary`, as zlib documents (deflateSetDictionary). Deno, at least up to version
 * 2.9, accepts the option and ignores it, so it could neither read nor write references to earlier messages.
 */
export function hasDictionaries(): boolean {
  return (known ??= supportsDictionaries({ deflateRawSync, inflateRawSync }));
}

export function supportsDictionaries(zlib: RawZlib): boolean {
  // No byte occurs twice, so only a reference to the dictionary can make the text shorter.
  const text = Uint8Array.from(Array(64).keys());
  const options = { dictionary: text, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    const compressed = zlib.deflateRawSync(text, options);
    return compressed.length < text.length && zlib.inflateRawSync(compressed, options).equals(text);
  } catch {
    return false; // Without the dictionary, zlib rejects the reference to it.
  }
}
