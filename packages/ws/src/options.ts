// Translates the options of `ws` into those of Holdfast.

import type { CompressionOptions } from "holdfast";
import { Adopter, type AdopterOptions } from "holdfast/adapter";

/** Holdfast's own options, which `ws` does not have. */
export type HoldfastOptions = Pick<
  AdopterOptions,
  "firstPing" | "liveness" | "logger" | "pingInterval" | "pingTimeout" | "writeLimit"
>;

/** The options of `ws` that concern an open connection. */
export interface ConnectionOptions {
  readonly allowSynchronousEvents?: boolean | undefined;
  readonly autoPong?: boolean | undefined;
  readonly closeTimeout?: number | undefined;
  readonly generateMask?: ((mask: Buffer) => void) | undefined;
  readonly holdfast?: HoldfastOptions | undefined;
  readonly maxPayload?: number | undefined;
  readonly perMessageDeflate?: boolean | DeflateOptions | null | undefined;
  /** Has no effect: Holdfast validates every text message (RFC 6455 section 8.1). */
  readonly skipUTF8Validation?: boolean | undefined;
  // These three bound the memory of the receiver and the sender of `ws`. They have no effect: Holdfast joins chunks and
  // fragments in one buffer, and keeps at most one Pong that waits for the socket.
  readonly maxBufferedChunks?: number | undefined;
  readonly maxFragments?: number | undefined;
  readonly maxPendingAutoPongs?: number | undefined;
}

/** The option `perMessageDeflate`. `concurrencyLimit` and `chunkSize` have no effect: nothing waits in a queue of zlib's. */
export interface DeflateOptions {
  readonly serverNoContextTakeover?: boolean | undefined;
  readonly clientNoContextTakeover?: boolean | undefined;
  readonly serverMaxWindowBits?: number | boolean | undefined;
  readonly clientMaxWindowBits?: number | boolean | undefined;
  readonly threshold?: number | undefined;
  readonly zlibDeflateOptions?: { readonly level?: number; readonly memLevel?: number } | undefined;
  readonly zlibInflateOptions?: object | undefined;
  readonly concurrencyLimit?: number | undefined;
}

/** The default of `ws`. */
export const MAX_PAYLOAD = 100 * 1024 * 1024;
const CLOSE_TIMEOUT = 30_000;
const COMPRESS_FROM = 1024;

const HOLDFAST_OPTIONS = ["firstPing", "liveness", "logger", "pingInterval", "pingTimeout", "writeLimit"];

/** @throws TypeError for an option that would be ignored; InvalidArgumentError for an invalid value */
export function createAdopter(role: "client" | "server", options: ConnectionOptions): Adopter {
  const { autoPong, closeTimeout, generateMask, holdfast = {}, maxPayload, perMessageDeflate } = options;
  checkNames(holdfast);
  return new Adopter({
    firstPing: "interval",
    closeReasons: false,
    ...holdfast,
    role,
    autoPong: autoPong ?? true,
    closeTimeout: closeTimeout ?? CLOSE_TIMEOUT,
    maxMessageSize: maxPayload === 0 ? null : (maxPayload ?? MAX_PAYLOAD),
    compression: readCompression(perMessageDeflate),
    ...(generateMask === undefined || role === "server" ? {} : { generateMask: bufferMask(generateMask) }),
  });
}

function checkNames(holdfast: HoldfastOptions): void {
  for (const name of Object.keys(holdfast)) {
    if (HOLDFAST_OPTIONS.includes(name)) continue;
    throw new TypeError(
      `Expected only ${HOLDFAST_OPTIONS.join(", ")} in the option \`holdfast\`, got \`${name}\`. Use the option of ws, or remove it.`,
    );
  }
}

function readCompression(value: ConnectionOptions["perMessageDeflate"]): boolean | CompressionOptions {
  if (value === undefined || value === null || value === false) return false;
  if (value === true) return { threshold: COMPRESS_FROM };
  const { zlibDeflateOptions: { level, memLevel } = {} } = value;
  return {
    serverNoContextTakeover: value.serverNoContextTakeover === true,
    clientNoContextTakeover: value.clientNoContextTakeover === true,
    ...windowBits("serverMaxWindowBits", value.serverMaxWindowBits),
    ...windowBits("clientMaxWindowBits", value.clientMaxWindowBits),
    ...(level === undefined || level === -1 ? {} : { level }),
    ...(memLevel === undefined ? {} : { memLevel }),
    threshold: value.threshold ?? COMPRESS_FROM,
  };
}

/** A boolean asks for the parameter without a value, which is Holdfast's default. */
function windowBits(
  name: "clientMaxWindowBits" | "serverMaxWindowBits",
  value: number | boolean | undefined,
): CompressionOptions {
  return typeof value === "number" ? { [name]: value } : {};
}

/** `ws` passes a Buffer. */
function bufferMask(generate: (mask: Buffer) => void): (key: Uint8Array) => void {
  return (key) => generate(Buffer.from(key.buffer, key.byteOffset, key.byteLength));
}
