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

const COMPRESS_FROM = 1024;

/** The defaults of `ws`. */
export const CONNECTION_DEFAULTS = {
  allowSynchronousEvents: true,
  autoPong: true,
  closeTimeout: 30_000,
  maxBufferedChunks: 256 * 1024,
  maxFragments: 16 * 1024,
  maxPayload: 100 * 1024 * 1024,
  maxPendingAutoPongs: 60,
  skipUTF8Validation: false,
} as const;

const HOLDFAST_OPTIONS = ["firstPing", "liveness", "logger", "pingInterval", "pingTimeout", "writeLimit"];

/** @throws TypeError for an option that would be ignored; InvalidArgumentError for an invalid value */
export function createAdopter(role: "client" | "server", options: ConnectionOptions): Adopter {
  const {
    autoPong = CONNECTION_DEFAULTS.autoPong,
    closeTimeout = CONNECTION_DEFAULTS.closeTimeout,
    generateMask,
    holdfast = {},
    maxPayload,
    perMessageDeflate,
  } = options;
  checkNames(holdfast);
  return new Adopter({
    firstPing: "interval",
    closeReasons: false,
    endsFirst: true,
    ...holdfast,
    role,
    autoPong: Boolean(autoPong as unknown),
    closeTimeout: readTimeout(closeTimeout),
    maxMessageSize: readLimit(maxPayload),
    compression: readCompression(perMessageDeflate),
    ...(generateMask && role === "client" ? { generateMask: bufferMask(generateMask) } : {}),
  });
}

/** As in `ws`, an option that is false, 0 or "" is left out: programs write `verifyClient: isStrict && verify`. */
export function given<Value>(value: Value): NonNullable<Value> | null {
  return value ? value : null;
}

function checkNames(holdfast: HoldfastOptions): void {
  for (const name of Object.keys(holdfast)) {
    if (HOLDFAST_OPTIONS.includes(name)) continue;
    throw new TypeError(
      `Expected only ${HOLDFAST_OPTIONS.join(", ")} in the option \`holdfast\`, got \`${name}\`. Use the option of ws, or remove it.`,
    );
  }
}

/** Milliseconds. As timers do, `ws` takes any number below 1, and what is no number, for 1. Null for more than a timer takes. */
function readTimeout(value: unknown): number | null {
  const duration = Number(value);
  if (!(duration >= 1)) return 1;
  return duration < 2 ** 31 ? duration : null;
}

/** Bytes; null for no limit, as `ws` takes everything that is not a positive number. */
export function readLimit(value: unknown = CONNECTION_DEFAULTS.maxPayload): number | null {
  const limit = Math.trunc(Number(value));
  return limit > 0 && Number.isSafeInteger(limit) ? limit : null;
}

function readCompression(value: ConnectionOptions["perMessageDeflate"]): boolean | CompressionOptions {
  if (!value) return false;
  if (typeof value !== "object") return { threshold: COMPRESS_FROM };
  const { zlibDeflateOptions: { level, memLevel } = {} } = value;
  return {
    serverNoContextTakeover: value.serverNoContextTakeover === true,
    clientNoContextTakeover: value.clientNoContextTakeover === true,
    ...windowBits("serverMaxWindowBits", value.serverMaxWindowBits),
    ...windowBits("clientMaxWindowBits", value.clientMaxWindowBits),
    // Level 0 would send stored blocks, larger than the message.
    ...(level === undefined || level === -1 ? {} : { level: Math.max(level, 1) }),
    ...(memLevel === undefined ? {} : { memLevel }),
    threshold: Math.max(0, Math.min(value.threshold ?? COMPRESS_FROM, Number.MAX_SAFE_INTEGER)),
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
