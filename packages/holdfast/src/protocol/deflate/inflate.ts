// Decompresses one message (RFC 7692 section 7.2.2), never into more than is allowed.

import { constants, inflateRaw, inflateRawSync, type ZlibOptions } from "node:zlib";
import { MessageTooBig, ProtocolError } from "../errors.js";
import type { Decoded, ProtocolFailure } from "../extension.js";
import { PlaintextWindow } from "./plaintext-window.js";

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

/**
 * Section 7.2.1 lets a message hold blocks with BFINAL set, each of which ends a stream. Nobody sends more than a few,
 * and each costs a new decompressor: a message of nothing but such blocks must not cost half a million.
 */
const MAX_STREAMS = 64;

export function inflate(payload: Uint8Array, options: InflateOptions): Decoded | Promise<Decoded> {
  const first = inflateStream(payload, options);
  if (first instanceof Promise) return first.then((late) => completed(late, payload, options));
  return completed(first, payload, options);
}

/** One stream of blocks, and how much of the payload it took. */
interface Stream {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function completed(
  stream: Stream | ProtocolFailure,
  payload: Uint8Array,
  options: InflateOptions,
): Decoded | Promise<Decoded> {
  if (stream instanceof Error) return stream;
  const rest = payload.subarray(stream.engine.bytesWritten);
  if (isNothing(rest)) return stream.buffer;
  return inflateRest(stream.buffer, rest, options);
}

/** What follows a block with BFINAL set: usually no more than the start of the empty block that was cut off. */
function isNothing(rest: Uint8Array): boolean {
  return rest.length === 0 || (rest.length === 1 && rest[0] === 0);
}

async function inflateRest(first: Buffer, rest: Uint8Array, options: InflateOptions): Promise<Decoded> {
  const window = new PlaintextWindow(options.windowBits);
  if (options.dictionary !== undefined) window.push(options.dictionary);
  const buffers = [first];
  let size = first.length;
  for (let unread = rest; !isNothing(unread);) {
    if (buffers.length === MAX_STREAMS) return notCompressed();
    window.push(buffers[buffers.length - 1]);
    // zlib takes no limit of zero.
    const maxSize = Math.max(1, options.maxSize - size);
    const stream = await inflateStream(unread, { ...options, dictionary: window.dictionary, maxSize });
    if (stream instanceof ProtocolError) return stream;
    if (stream instanceof Error) return tooBig(options.maxSize);
    size += stream.buffer.length;
    if (size > options.maxSize) return tooBig(options.maxSize);
    buffers.push(stream.buffer);
    unread = unread.subarray(stream.engine.bytesWritten);
  }
  return Buffer.concat(buffers);
}

function inflateStream(
  payload: Uint8Array,
  options: InflateOptions,
): Stream | ProtocolFailure | Promise<Stream | ProtocolFailure> {
  if (options.maxSize <= SYNC_UP_TO) return inflateNow(payload, options);
  // Most messages are small, whatever the limit allows: what turns out larger is begun again in a thread.
  if (payload.length <= SYNC_UP_TO / 4) {
    const stream = inflateNow(payload, { ...options, maxSize: SYNC_UP_TO });
    if (!(stream instanceof MessageTooBig)) return stream;
  }
  const dictionary = options.dictionary === undefined ? undefined : new Uint8Array(options.dictionary);
  return new Promise((resolve) => {
    inflateRaw(payload, zlibOptions(payload, { ...options, dictionary }), (error, stream) => {
      resolve(error === null ? streamOf(stream) : failureOf(error, options.maxSize));
    });
  });
}

function inflateNow(payload: Uint8Array, options: InflateOptions): Stream | ProtocolFailure {
  try {
    return streamOf(inflateRawSync(payload, zlibOptions(payload, options)));
  } catch (error) {
    return failureOf(error as NodeJS.ErrnoException, options.maxSize); // zlib throws nothing else.
  }
}

/** The option `info` makes it so, of which the types know nothing. */
function streamOf(result: Buffer): Stream {
  return result as unknown as Stream;
}

function zlibOptions(payload: Uint8Array, options: InflateOptions): ZlibOptions {
  const { dictionary } = options;
  return {
    windowBits: Math.max(9, options.windowBits),
    info: true,
    // The empty block that was cut off (section 7.2.2) is not missed where the end of the input is no error.
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: Math.min(options.maxSize, MAX_OUTPUT),
    chunkSize: Math.min(64 * 1024, Math.max(2048, payload.length * 4)),
    ...(dictionary === undefined || dictionary.length === 0 ? {} : { dictionary }),
  };
}

/** The longest buffer that every supported Node version can make. */
const MAX_OUTPUT = 2 ** 31 - 1;

function failureOf(error: NodeJS.ErrnoException, maxSize: number): ProtocolFailure {
  return error.code === "ERR_BUFFER_TOO_LARGE" ? tooBig(maxSize) : notCompressed();
}

function tooBig(maxSize: number): MessageTooBig {
  const text = `Expected a message of at most ${maxSize} bytes, got one that inflates to more`;
  return new MessageTooBig(text, maxSize + 1, maxSize);
}

function notCompressed(): ProtocolError {
  return new ProtocolError("Expected compressed data (RFC 1951), got other bytes", 1007);
}
