// Compresses one message (RFC 7692 section 7.2.1).

import { nodeModule } from "../node-module.js";
import { HoldfastError } from "../../shared/errors.js";
import { forgetWindow, zlibCalls } from "./chosen-calls.js";
import type { DeflateOptions } from "./zlib-calls.js";
import { deflateZlibOptions } from "./zlib-options.js";

/**
 * Messages of up to this many bytes are compressed synchronously, which takes up to a millisecond for text that compresses
 * badly. Larger ones are compressed in a thread, which costs some 100 µs more (measured on Node 20).
 */
const SYNC_UP_TO = 32 * 1024;

/** zlib ends a flush with an empty stored block, which is removed before sending (section 7.2.1). */
const TAIL_LENGTH = 4;

/**
 * The caller then adds the message to the window, or calls `forgetWindow`.
 *
 * @throws HoldfastError, or rejects with it, if zlib fails, for example for lack of memory
 */
export function deflate(payload: Uint8Array, options: DeflateOptions): Uint8Array | Promise<Uint8Array> {
  if (payload.length <= SYNC_UP_TO) return deflateNow(payload, options);
  const { window } = options;
  if (window !== null) forgetWindow(window);
  // Copy the dictionary: the thread reads it later, when the window has changed.
  const dictionary = window === null ? undefined : new Uint8Array(window.dictionary);
  const zlibOptions = {
    ...deflateZlibOptions(options, dictionary),
    chunkSize: Math.min(64 * 1024, payload.length),
  };
  return new Promise((resolve, reject) => {
    nodeModule("node:zlib").deflateRaw(payload, zlibOptions, (error, compressed) => {
      if (error === null) resolve(withoutTail(compressed));
      else reject(failed(error));
    });
  });
}

function deflateNow(payload: Uint8Array, options: DeflateOptions): Uint8Array {
  try {
    return withoutTail(zlibCalls().deflate(payload, options));
  } catch (error) {
    throw failed(error);
  }
}

function failed(cause: unknown): HoldfastError {
  return new HoldfastError("Compressing a message failed.", { code: "ERR_HOLDFAST_COMPRESSION", cause });
}

/** zlib writes nothing, not even a tail, if there was no input since its last flush. */
function withoutTail(compressed: Uint8Array): Uint8Array {
  return compressed.subarray(0, Math.max(0, compressed.length - TAIL_LENGTH));
}
