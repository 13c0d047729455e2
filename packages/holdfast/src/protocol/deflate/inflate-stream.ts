// One zlib stream of a message: to the message's end, or to the end of a block with BFINAL set.
//
// zlib itself cannot tell a message that is whole from one that is cut off, since neither ends its stream. Section 7.2.2
// has the receiver append what the sender removed; an empty last block behind that makes zlib tell.

import { constants, createInflateRaw, inflateRawSync, type ZlibOptions } from "node:zlib";
import { MessageTooBigError, ProtocolError } from "../../shared/errors.js";
import type { ProtocolFailure } from "../extension.js";
import { MessageBuffer } from "../message/message-buffer.js";

export interface InflateOptions {
  /** 8 to 15. */
  readonly windowBits: number;
  /** What went before; undefined or empty for nothing. */
  readonly dictionary: Uint8Array | undefined;
  /** Bytes that may come of it. */
  readonly maxSize: number;
  /** Bytes that are inflated at once rather than in a thread. @default 512 KiB */
  readonly syncUpTo?: number;
}

export interface InflatedStream {
  readonly plaintext: Buffer;
  /** What follows in the message. */
  readonly rest: Uint8Array;
}

type Inflated = InflatedStream | ProtocolFailure;

/** For all streams of one message together: inflating so much takes 1 to 2 ms, the more the worse it compresses (measured, Node 20); more goes to a thread. */
export const SYNC_UP_TO = 512 * 1024;

/** The empty block that a sender removes from the end (section 7.2.1), but for its header, which stays. */
const REMOVED = Buffer.of(0x00, 0x00, 0xff, 0xff);
/** An empty block with BFINAL set. */
const LAST_BLOCK = Buffer.of(0x01, 0x00, 0x00, 0xff, 0xff);
const TAIL = Buffer.concat([REMOVED, LAST_BLOCK]);
/** The same with a block of one byte in place of the empty one. */
const OTHER_TAIL = Buffer.concat([Buffer.of(0x01, 0x00, 0xfe, 0xff, 0x00), LAST_BLOCK]);

/** Inflates `payload` until a stream or the message ends; promised where that takes long. */
export function inflateStream(payload: Uint8Array, options: InflateOptions): Inflated | Promise<Inflated> {
  // Whoever did not remove the block will hardly send it twice.
  const data = endsLikeRemoved(payload) ? payload.subarray(0, -REMOVED.length) : payload;
  const raw = inflateWith(TAIL, data, options);
  if (raw instanceof Promise) return raw.then((late) => judged(late, data, options));
  return judged(raw, data, options);
}

export function tooBig(maxSize: number): MessageTooBigError {
  const text = `Expected a message of at most ${maxSize} bytes, got one that inflates to more`;
  return new MessageTooBigError(text, maxSize + 1, maxSize);
}

/**
 * RFC 7692 names no close code. This one is for data that is not what its message claims to be (RFC 6455
 * section 7.4.1): the frames themselves broke no rule.
 */
export function notCompressed(): ProtocolError {
  return new ProtocolError("Expected compressed data (RFC 1951) of whole blocks, got other bytes", 1007);
}

/** What zlib made of data and tail, and how many bytes of them it took. */
interface RawResult {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function judged(
  raw: RawResult | ProtocolFailure,
  data: Uint8Array,
  options: InflateOptions,
): Inflated | Promise<Inflated> {
  if (raw instanceof Error) return raw;
  const { buffer: plaintext } = raw;
  const taken = raw.engine.bytesWritten - data.length;
  if (taken <= 0) return { plaintext, rest: data.subarray(data.length + taken) };
  // The header of the empty block may itself have had BFINAL set. Anything else is a message that was cut off, and
  // went on in what was appended.
  if (taken !== REMOVED.length && taken !== TAIL.length) return notCompressed();
  const stream = { plaintext, rest: NOTHING };
  return endsLikeRemoved(plaintext) ? unlessTailIsContent(stream, data, options) : stream;
}

/** A block without compression that was cut off just there takes the beginning of the tail for its content. */
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
): RawResult | ProtocolFailure | Promise<RawResult | ProtocolFailure> {
  const { syncUpTo = SYNC_UP_TO } = options;
  if (options.maxSize <= syncUpTo) return inflateNow(Buffer.concat([data, tail]), options);
  // Most messages are small, whatever the limit allows: what turns out larger is begun again in a thread.
  if (syncUpTo > 0 && data.length <= syncUpTo / 4) {
    const result = inflateNow(Buffer.concat([data, tail]), { ...options, maxSize: syncUpTo });
    if (!(result instanceof MessageTooBigError)) return result;
  }
  return inflateInThread(tail, data, options);
}

/** As a stream: to join data and tail, or the pieces of the result, at once would hold the loop for milliseconds. */
function inflateInThread(
  tail: Uint8Array,
  data: Uint8Array,
  options: InflateOptions,
): Promise<RawResult | ProtocolFailure> {
  const dictionary = options.dictionary === undefined ? undefined : new Uint8Array(options.dictionary);
  const engine = createInflateRaw(zlibOptions(data, { ...options, dictionary }));
  const plaintext = new MessageBuffer(options.maxSize);
  return new Promise((resolve) => {
    const settle = (result: RawResult | ProtocolFailure): void => {
      engine.destroy();
      resolve(result);
    };
    engine.on("data", (chunk: Buffer) => {
      if (plaintext.length + chunk.length > options.maxSize) settle(tooBig(options.maxSize));
      else plaintext.append(chunk, 0, chunk.length);
    });
    engine.on("end", () => settle({ buffer: plaintext.take(), engine }));
    engine.on("error", (error) => settle(failureOf(error, options.maxSize)));
    engine.write(data);
    engine.end(tail);
  });
}

function inflateNow(input: Uint8Array, options: InflateOptions): RawResult | ProtocolFailure {
  try {
    // The option `info` makes it so, of which the types know nothing.
    return inflateRawSync(input, zlibOptions(input, options)) as unknown as RawResult;
  } catch (error) {
    return failureOf(error as Error & { readonly code?: string }, options.maxSize); // zlib throws nothing else.
  }
}

function zlibOptions(input: Uint8Array, options: InflateOptions): ZlibOptions {
  const { dictionary } = options;
  return {
    windowBits: Math.max(9, options.windowBits),
    info: true,
    finishFlush: constants.Z_FINISH,
    maxOutputLength: Math.min(options.maxSize, MAX_OUTPUT),
    chunkSize: Math.min(64 * 1024, Math.max(2048, input.length * 4)),
    ...(dictionary === undefined || dictionary.length === 0 ? {} : { dictionary }),
  };
}

const NOTHING = new Uint8Array(0);

/** The longest buffer that every supported Node version can make. */
const MAX_OUTPUT = 2 ** 31 - 1;

function failureOf(error: Error & { readonly code?: string }, maxSize: number): ProtocolFailure {
  return error.code === "ERR_BUFFER_TOO_LARGE" ? tooBig(maxSize) : notCompressed();
}
