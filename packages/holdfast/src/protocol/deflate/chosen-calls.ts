// Chooses between kept streams and the documented functions of node:zlib.

import { nodeModule } from "../node-module.js";
import { LiveCalls, type ZlibFactory } from "./live-calls.js";
import { PlaintextWindow } from "./plaintext-window.js";
import { documentedCalls, type ZlibCalls } from "./zlib-calls.js";

/** Chosen at the first compressed message, so that programs without compression do not pay for the test. */
let chosen: ZlibCalls | null = null;

export function zlibCalls(): ZlibCalls {
  return (chosen ??= zlibCallsOf(nodeModule("node:zlib")));
}

/** Frees what is kept for a window. */
export function forgetWindow(window: PlaintextWindow): void {
  chosen?.forget(window);
}

/** The calls with kept streams if they work as the documented ones; otherwise those. */
export function zlibCallsOf(factory: ZlibFactory): ZlibCalls {
  // With so few handles, some are replaced during the test.
  const calls = new LiveCalls(factory, 2);
  try {
    return workAsDocumented(calls) ? new LiveCalls(factory) : documentedCalls;
  } catch {
    return documentedCalls;
  } finally {
    calls.close();
  }
}

/** Each of them refers to the one before, and the last one needs several writes. */
const MESSAGES = [32, 40, 100_000].map((length) => Buffer.alloc(length, "Hold fast, "));
/** An empty block with BFINAL set. */
const LAST_BLOCK = Buffer.of(0x01, 0x00, 0x00, 0xff, 0xff);
const LEVELS = { windowBits: 9, level: 1, memLevel: 1 };

function workAsDocumented(calls: ZlibCalls): boolean {
  const window = new PlaintextWindow(LEVELS.windowBits);
  return areInvertible(calls, window) && areInvertible(calls, null) && canFail(calls);
}

/** Whether messages pass through both calls, and through the documented one as a single stream. */
function areInvertible(calls: ZlibCalls, window: PlaintextWindow | null): boolean {
  const stream: Uint8Array[] = [];
  for (const message of MESSAGES) {
    const deflated = calls.deflate(message, { ...LEVELS, window });
    const options = { windowBits: 9, dictionary: window?.dictionary, maxSize: message.length };
    const { buffer, consumed } = calls.inflate(deflated, LAST_BLOCK, options);
    if (!buffer.equals(message) || consumed !== deflated.length + LAST_BLOCK.length) return false;
    window?.push(message);
    stream.push(deflated);
  }
  const options = { windowBits: 9, dictionary: undefined, maxSize: 2 * MESSAGES[2].length };
  const { buffer } = documentedCalls.inflate(Buffer.concat(stream), LAST_BLOCK, options);
  return buffer.equals(Buffer.concat(MESSAGES));
}

function canFail(calls: ZlibCalls): boolean {
  const [message] = MESSAGES;
  const deflated = calls.deflate(message, { ...LEVELS, window: null });
  const options = { windowBits: 9, dictionary: undefined, maxSize: message.length };
  const invalid = codeOf(() => calls.inflate(Buffer.of(0xff), LAST_BLOCK, options));
  const tooLarge = codeOf(() => calls.inflate(deflated, LAST_BLOCK, { ...options, maxSize: 9 }));
  const { buffer } = calls.inflate(deflated, LAST_BLOCK, options);
  return invalid === "Z_DATA_ERROR" && tooLarge === "ERR_BUFFER_TOO_LARGE" && buffer.equals(message);
}

/** The code of the error that the call throws; null for none. */
function codeOf(call: () => unknown): unknown {
  try {
    call();
    return null;
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
}
