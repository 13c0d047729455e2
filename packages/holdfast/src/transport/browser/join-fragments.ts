// Joins the fragments of a message.

import type { Fragment } from "../../connection/message-transport.js";

/** @param fragments at least one, all of the same type */
export function joinFragments(fragments: readonly Fragment[]): string | Uint8Array {
  const bytes = new Uint8Array(fragments.reduce((total, { payload }) => total + payload.length, 0));
  let position = 0;
  for (const { payload } of fragments) {
    bytes.set(payload, position);
    position += payload.length;
  }
  return fragments[0]?.type === "text" ? decoder.decode(bytes) : bytes;
}

/** Keeps a byte order mark as a character of the text. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
