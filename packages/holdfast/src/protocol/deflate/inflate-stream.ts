// Inflates one zlib stream of a message: up to the message's end, or up to the end of a block with BFINAL set.
//
// zlib itself cannot distinguish a complete message from a truncated one, since neither ends its stream. Section 7.2.2 has
// the receiver append the bytes that the sender removed. We append an empty last block as well, which ends the stream of
// a complete message.

import { nodeModule } from "../node-module.js";
import { MessageTooBigError, ProtocolError } from "../../shared/errors.js";
import type { ProtocolFailure } from "../extension.js";
import { MessageBuffer } from "../message/message-buffer.js";
import { zlibCalls } from "./chosen-calls.js";
import type { RawInflated } from "./zlib-calls.js";
import { inflateZlibOptions } from "./zlib-options.js";

export interface InflateOptions {
  /** 8 to 15. */
  readonly windowBits: number;
  /** The preceding plaintext; undefined or empty for none. */
  readonly dictionary: Uint8Array | undefined;
  /** Maximum size of the plaintext, in bytes. */
  readonly maxSize: number;
  /** Plaintext of up to this many bytes is inflated synchronously, more in a thread. @default 512 KiB */
  readonly syncUpTo?: number;
}

export interface InflatedStream {
  readonly plaintext: Buffer;
  /** The rest of the message after this stream. */
  readonly rest: Uint8Array;
}

type Inflated = InflatedStream | ProtocolFailure;

/**
 * The limit for all streams of one message together; more is inflated in a thread. Inflating this much takes 1 to 2 ms,
 * longer for data that compresses badly (measured on Node 20).
 */
export const SYNC_UP_TO = 512 * 1024;

/** The empty block that a sender removes from the end (section 7.2.1), without its header, which stays. */
const REMOVED = Buffer.of(0x00, 0x00, 0xff, 0xff);
/** An empty block with BFINAL set. */
const LAST_BLOCK = Buffer.of(0x01, 0x00, 0x00, 0xff, 0xff);
const TAIL = Buffer.concat([REMOVED, LAST_BLOCK]);
/** The same with a block of one byte in place of the empty one. */
const OTHER_TAIL = Buffer.concat([Buffer.of(0x01, 0x00, 0xfe, 0xff, 0x00), LAST_BLOCK]);

/** Inflates `payload` until a stream or the message ends. Returns a promise if that takes long. */
export function inflateStream(payload: Uint8Array, options: InflateOptions): Inflated | Promise<Inflated> {
  // A sender that did not remove the block will hardly send it twice.
  const data = endsLikeRemoved(payload) ? payload.subarray(0, -REMOVED.length) : payload;
  const raw = inflateWith(TAIL, data, options);
  if (raw instanceof Promise) return raw.then((late) => judged(late, data, options));
  return judged(raw, data, options);
}

export function tooBig(maxSize: number): MessageTooBigError {
  const text = `Expected a message of at most ${maxSize} bytes, got one that inflates to ${maxSize + 1} or more.`;
  return new MessageTooBigError(text, maxSize + 1, maxSize);
}

/**
 * RFC 7692 names no close code. 1007 is for data that is not consistent with the type of its message (RFC 6455 section
 * 7.4.1): the frames themselves are valid.
 */
export function notCompressed(): ProtocolError {
  return new ProtocolError("Expected compressed data (RFC 1951) of whole blocks, got other bytes.", 1007);
}

function judged(
  raw: RawInflated | ProtocolFailure,
  data: Uint8Array,
  options: InflateOptions,
): Inflated | Promise<Inflated> {
  if (raw instanceof Error) return raw;
  const { buffer: plaintext } = raw;
  const taken = raw.consumed - data.length;
  if (taken <= 0) return { plaintext, rest: data.subarray(data.length + taken) };
  // The header of the empty block may itself have had BFINAL set. Otherwise the message was truncated, and its last block
  // continued into the appended bytes.
  if (taken !== REMOVED.length && taken !== TAIL.length) return notCompressed();
  const stream = { plaintext, rest: NOTHING };
  return endsLikeRemoved(plaintext) ? unlessTailIsContent(stream, data, options) : stream;
}

/** Detects a stored block that was truncated so that the start of the tail became its content. */
async function unlessTailIsContent(
  stream: InflatedStream,
  data: Uint8Array,
  options: InflateOptions,
): Promise<Inflated> {
  const other = await inflateWith(OTHER_TAIL, data, { ...options, maxSize: options.maxSize + 1 });
  const isWhole = !(other instanceof Error) && other.buffer.length === stream.plaintext.length + 1;
  return isWhole ? stream : notCompressed();
}

function endsLikeRemoved(bytes: Uint8Array): boolean {
  const start = bytes.length - REMOVED.length;
  return start >= 0 && REMOVED.every((byte, index) => bytes[start + index] === byte);
}

function inflateWith(
  tail: Uint8Array,
  data: Uint8Array,
  options: InflateOptions,
): RawInflated | ProtocolFailure | Promise<RawInflated | ProtocolFailure> {
  const { syncUpTo = SYNC_UP_TO } = options;
  if (options.maxSize <= syncUpTo) return inflateNow(data, tail, options);
  // Most messages are small, whatever the limit. If one turns out to be larger, start again in a thread.
  if (syncUpTo > 0 && data.length <= syncUpTo / 4) {
    const result = inflateNow(data, tail, { ...options, maxSize: syncUpTo });
    if (!(result instanceof MessageTooBigError)) return result;
  }
  return inflateInThread(tail, data, options);
}

/** Uses a stream: joining data and tail, or all pieces of the result, would block the event loop for milliseconds. */
function inflateInThread(
  tail: Uint8Array,
  data: Uint8Array,
  options: InflateOptions,
): Promise<RawInflated | ProtocolFailure> {
  const dictionary = options.dictionary === undefined ? undefined : new Uint8Array(options.dictionary);
  const engine = nodeModule("node:zlib").createInflateRaw({
    ...inflateZlibOptions(options.windowBits, dictionary),
    chunkSize: Math.min(64 * 1024, Math.max(2048, data.length * 4)),
  });
  const plaintext = new MessageBuffer(options.maxSize);
  return new Promise((resolve) => {
    const settle = (result: RawInflated | ProtocolFailure): void => {
      engine.destroy();
      resolve(result);
    };
    engine.on("data", (chunk: Buffer) => {
      if (plaintext.length + chunk.length > options.maxSize) settle(tooBig(options.maxSize));
      else plaintext.append(chunk, 0, chunk.length);
    });
    engine.on("end", () => settle({ buffer: plaintext.take(), consumed: engine.bytesWritten }));
    engine.on("error", (error) => settle(failureOf(error, options.maxSize)));
    engine.write(data);
    engine.end(tail);
  });
}

function inflateNow(
  data: Uint8Array,
  tail: Uint8Array,
  { windowBits, dictionary, maxSize }: InflateOptions,
): RawInflated | ProtocolFailure {
  try {
    return zlibCalls().inflate(data, tail, {
      windowBits,
      dictionary,
      maxSize: Math.min(maxSize, MAX_OUTPUT),
    });
  } catch (error) {
    return failureOf(error as Error & { readonly code?: string }, maxSize); // zlib throws only such errors.
  }
}

const NOTHING = new Uint8Array(0);

/** The longest buffer that every supported version of Node can allocate. */
const MAX_OUTPUT = 2 ** 31 - 1;

function failureOf(error: Error & { readonly code?: string }, maxSize: number): ProtocolFailure {
  return error.code === "ERR_BUFFER_TOO_LARGE" ? tooBig(maxSize) : notCompressed();
}
