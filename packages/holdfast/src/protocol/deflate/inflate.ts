// Decompresses one message (RFC 7692 section 7.2.2), never into more than is allowed.

import { constants, inflateRaw, inflateRawSync, type ZlibOptions } from "node:zlib";
import { MessageTooBig, ProtocolError } from "../errors.js";
import type { Decoded } from "../extension.js";

export interface InflateOptions {
  /** 8 to 15. */
  readonly windowBits: number;
  /** What went before; undefined or empty for nothing. */
  readonly dictionary: Uint8Array | undefined;
  /** Bytes that may come of it. */
  readonly maxSize: number;
}

/** Inflating a mebibyte takes up to 2.5 ms (measured, Node 20); what may become more goes to a thread. */
const SYNC_UP_TO = 1024 * 1024;

export function inflate(payload: Uint8Array, options: InflateOptions): Decoded | Promise<Decoded> {
  if (options.maxSize <= SYNC_UP_TO) return inflateNow(payload, options);
  // Most messages are small, whatever the limit allows: what turns out larger is begun again in a thread.
  if (payload.length <= SYNC_UP_TO / 4) {
    const decoded = inflateNow(payload, { ...options, maxSize: SYNC_UP_TO });
    if (!(decoded instanceof MessageTooBig)) return decoded;
  }
  const dictionary = options.dictionary === undefined ? undefined : new Uint8Array(options.dictionary);
  return new Promise((resolve) => {
    inflateRaw(payload, zlibOptions(payload, { ...options, dictionary }), (error, decoded) => {
      resolve(error === null ? decoded : failureOf(error, options.maxSize));
    });
  });
}

function inflateNow(payload: Uint8Array, options: InflateOptions): Decoded {
  try {
    return inflateRawSync(payload, zlibOptions(payload, options));
  } catch (error) {
    return failureOf(error as NodeJS.ErrnoException, options.maxSize); // zlib throws nothing else.
  }
}

function zlibOptions(payload: Uint8Array, options: InflateOptions): ZlibOptions {
  const { dictionary } = options;
  return {
    windowBits: Math.max(9, options.windowBits),
    // The empty block that was cut off (section 7.2.2) is not missed where the end of the input is no error.
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: Math.min(options.maxSize, MAX_OUTPUT),
    chunkSize: Math.min(64 * 1024, Math.max(2048, payload.length * 4)),
    ...(dictionary === undefined || dictionary.length === 0 ? {} : { dictionary }),
  };
}

/** The longest buffer that every supported Node version can make. */
const MAX_OUTPUT = 2 ** 31 - 1;

function failureOf(error: NodeJS.ErrnoException, maxSize: number): MessageTooBig | ProtocolError {
  if (error.code === "ERR_BUFFER_TOO_LARGE") {
    const text = `Expected a message of at most ${maxSize} bytes, got one that inflates to more`;
    return new MessageTooBig(text, maxSize + 1, maxSize);
  }
  return new ProtocolError("Expected compressed data (RFC 1951), got other bytes", 1007);
}
