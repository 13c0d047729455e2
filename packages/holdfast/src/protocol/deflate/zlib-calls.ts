// Compresses and decompresses synchronously. The documented functions of node:zlib create a stream for each message and
// discard it. Where the runtime allows it, streams are kept instead (see `live-calls.ts`), which must produce the same.

import { nodeModule } from "../node-module.js";
import type { PlaintextWindow } from "./plaintext-window.js";
import { deflateZlibOptions, inflateZlibOptions, type DeflateLevels } from "./zlib-options.js";

export interface DeflateOptions extends DeflateLevels {
  /** The preceding plaintext; null if the message must not refer to it. */
  readonly window: PlaintextWindow | null;
}

export interface InflateCallOptions {
  /** 8 to 15. */
  readonly windowBits: number;
  /** The preceding plaintext; undefined or empty for none. */
  readonly dictionary: Uint8Array | undefined;
  /** Maximum size of the output, in bytes; at least 1. */
  readonly maxSize: number;
}

export interface RawInflated {
  readonly buffer: Buffer;
  /** How many bytes of the input belonged to the stream. */
  readonly consumed: number;
}

/** All of them throw errors with the codes of zlib. */
export interface ZlibCalls {
  /**
   * Compresses one message up to a flush. If it has a window, the caller pushes the message to it afterwards. If the
   * window gets anything else instead, the caller has to call `forget`.
   */
  deflate(payload: Uint8Array, options: DeflateOptions): Uint8Array;
  /** Inflates data and tail up to the end of the stream. */
  inflate(data: Uint8Array, tail: Uint8Array, options: InflateCallOptions): RawInflated;
  /** Frees what is kept for a window. It may be used further. */
  forget(window: PlaintextWindow): void;
}

export const documentedCalls: ZlibCalls = {
  deflate(payload, options) {
    return nodeModule("node:zlib").deflateRawSync(payload, {
      ...deflateZlibOptions(options, options.window?.dictionary),
      chunkSize: Math.min(64 * 1024, Math.max(1024, payload.length)),
    });
  },
  inflate(data, tail, { windowBits, dictionary, maxSize }) {
    const input = Buffer.concat([data, tail]);
    const result = nodeModule("node:zlib").inflateRawSync(input, {
      ...inflateZlibOptions(windowBits, dictionary),
      info: true,
      maxOutputLength: maxSize,
      chunkSize: Math.min(64 * 1024, Math.max(2048, input.length * 4)),
    });
    // The option `info` changes the result to this type, which the type declarations do not know.
    const { buffer, engine } = result as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return { buffer, consumed: engine.bytesWritten };
  },
  forget() {
    // Nothing is kept.
  },
};
