// Decompresses one message (RFC 7692 section 7.2.2), up to a maximum size.

import { ProtocolError } from "../../shared/errors.js";
import type { Decoded, ProtocolFailure } from "../extension.js";
import {
  inflateStream,
  notCompressed,
  SYNC_UP_TO,
  tooBig,
  type InflatedStream,
  type InflateOptions,
} from "./inflate-stream.js";
import { PlaintextWindow } from "./plaintext-window.js";

/**
 * Section 7.2.1 allows a message to contain blocks with BFINAL set, each of which ends a stream and needs a new
 * decompressor. Nobody sends more than a few, but an attacker could fill a message with half a million of them.
 */
const MAX_STREAMS = 64;

export function inflate(payload: Uint8Array, options: InflateOptions): Decoded | Promise<Decoded> {
  // zlib writes nothing if there was no input since its last flush, so the empty messages of some senders lack even the
  // one byte of section 7.2.3.6.
  if (payload.length === 0) return payload;
  const first = inflateStream(payload, options);
  if (first instanceof Promise) return first.then((late) => completed(late, options));
  return completed(first, options);
}

function completed(
  first: InflatedStream | ProtocolFailure,
  options: InflateOptions,
): Decoded | Promise<Decoded> {
  if (first instanceof Error) return first;
  return isEnd(first.rest) ? first.plaintext : inflateRest(first, options);
}

/** After a block with BFINAL set there is usually at most the start of the empty block that the sender removed. */
function isEnd(rest: Uint8Array): boolean {
  return rest.length === 0 || (rest.length === 1 && rest[0] === 0);
}

async function inflateRest(first: InflatedStream, options: InflateOptions): Promise<Decoded> {
  const window = new PlaintextWindow(options.windowBits);
  if (options.dictionary !== undefined) window.push(options.dictionary);
  const parts = [first.plaintext];
  let size = first.plaintext.length;
  for (let stream = first; !isEnd(stream.rest);) {
    if (parts.length === MAX_STREAMS) return notCompressed();
    window.push(stream.plaintext);
    // zlib accepts no limit of zero.
    const maxSize = Math.max(1, options.maxSize - size);
    const syncUpTo = Math.max(0, SYNC_UP_TO - size);
    const { dictionary } = window;
    const next = await inflateStream(stream.rest, { ...options, dictionary, maxSize, syncUpTo });
    if (next instanceof ProtocolError) return next;
    if (next instanceof Error) return tooBig(options.maxSize);
    stream = next;
    size += stream.plaintext.length;
    if (size > options.maxSize) return tooBig(options.maxSize);
    parts.push(stream.plaintext);
  }
  return Buffer.concat(parts);
}
