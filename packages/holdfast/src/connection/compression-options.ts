// The option `compression`: what this side wants of permessage-deflate (RFC 7692).

import type { DeflateSettings } from "../protocol/deflate/negotiation.js";
import { checkOptionNames, type OptionAdvice, type OptionNames } from "../shared/option-names.js";
import { checkBoolean, invalidArgument } from "../shared/option-checks.js";

/**
 * How to compress. What is agreed on may be less than what is wanted here. Where the runtime's zlib ignores
 * dictionaries, as that of Deno 2.9 does, neither side takes its context over.
 */
export interface CompressionOptions {
  /**
   * The server forgets its window after each message: less memory, less compression. A client asks for it, and takes
   * what a server without this parameter does. @default false
   */
  readonly serverNoContextTakeover?: boolean;
  /** The client forgets its window after each message. A server says so to clients that offer it. @default false */
  readonly clientNoContextTakeover?: boolean;
  /**
   * The server's window is at most 2 to this power, in bytes; 8 to 15. A client that sets it asks for it, and takes what a
   * server without this parameter does; by default a client leaves it to the server.
   * @default 12 at a server, 15 at a client
   */
  readonly serverMaxWindowBits?: number;
  /**
   * The client's window is at most 2 to this power, in bytes; 8 to 15. A client that sets it says so in its offer; a server
   * says so to clients that offer `client_max_window_bits`, as browsers do. @default 12
   */
  readonly clientMaxWindowBits?: number;
  /** Compression level of zlib, 1 (fast) to 9 (small). @default 6 */
  readonly level?: number;
  /** Memory level of zlib, 1 to 9. @default 5 */
  readonly memLevel?: number;
  /** Messages of fewer bytes are sent as they are. @default 256 */
  readonly threshold?: number;
}

const COMPRESSION_OPTIONS: OptionNames<CompressionOptions> = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: true,
  clientMaxWindowBits: true,
  level: true,
  memLevel: true,
  threshold: true,
};

/** @throws InvalidArgumentError */
export function checkCompression(value: boolean | CompressionOptions | undefined): DeflateSettings | null {
  if (value === undefined || value === false) return null;
  const options: CompressionOptions = value === true ? {} : value;
  if (typeof options !== "object" || (options as unknown) === null) {
    throw invalidArgument("compression", "true, false or an object of options", value);
  }
  checkOptionNames("`compression`", options, COMPRESSION_OPTIONS, COMPRESSION_ADVICE);
  return {
    wanted: {
      serverNoContextTakeover: checkBoolean(
        "compression.serverNoContextTakeover",
        options.serverNoContextTakeover,
        false,
      ),
      clientNoContextTakeover: checkBoolean(
        "compression.clientNoContextTakeover",
        options.clientNoContextTakeover,
        false,
      ),
      // 4 KiB compress messages of a few kilobytes as well as 32 KiB do, at half the cost and an eighth of the memory.
      serverMaxWindowBits: checkRange(
        "compression.serverMaxWindowBits",
        options.serverMaxWindowBits,
        [8, 15],
        12,
      ),
      clientMaxWindowBits: checkRange(
        "compression.clientMaxWindowBits",
        options.clientMaxWindowBits,
        [8, 15],
        12,
      ),
    },
    namesServerWindow: options.serverMaxWindowBits !== undefined,
    namesClientWindow: options.clientMaxWindowBits !== undefined,
    tuning: {
      level: checkRange("compression.level", options.level, [1, 9], 6),
      memLevel: checkRange("compression.memLevel", options.memLevel, [1, 9], 5),
      threshold: checkRange("compression.threshold", options.threshold, [0, Number.MAX_SAFE_INTEGER], 256),
    },
  };
}

/** Options of `perMessageDeflate` in `ws`. */
const COMPRESSION_ADVICE: OptionAdvice = {
  zlibDeflateOptions: "Use `level` and `memLevel`",
  zlibInflateOptions: "Remove it",
  concurrencyLimit: "Remove it",
};

function checkRange(
  name: string,
  value: unknown,
  [lowest, highest]: readonly [number, number],
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= lowest && (value as number) <= highest)
    return value as number;
  throw invalidArgument(name, `a whole number from ${lowest} to ${highest}`, value);
}
