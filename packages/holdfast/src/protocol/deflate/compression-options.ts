// The option `compression`: parameters of permessage-deflate (RFC 7692).

import type { DeflateSettings } from "./negotiation.js";
import { checkOptionNames, type OptionAdvice, type OptionNames } from "../../shared/option-names.js";
import { checkBoolean, invalidArgument } from "../../shared/option-checks.js";

/**
 * How to compress. The peers may agree on less than is configured here. Where zlib ignores dictionaries, as in Deno
 * 2.9, both sides compress each message without the context of earlier ones.
 */
export interface CompressionOptions {
  /**
   * The server resets its window after each message: less memory, less compression. A client with this option requests
   * it, and accepts a server that does not support it. @default false
   */
  readonly serverNoContextTakeover?: boolean | undefined;
  /**
   * The client resets its window after each message. A server requires it from clients that offer it. @default false
   */
  readonly clientNoContextTakeover?: boolean | undefined;
  /**
   * The server's window is at most 2 to this power, in bytes; 8 to 15. A client that sets it requests it, and accepts a
   * server that does not support it. By default a client leaves it to the server.
   * @default 12 at a server, 15 at a client
   */
  readonly serverMaxWindowBits?: number | undefined;
  /**
   * The client's window is at most 2 to this power, in bytes; 8 to 15. A client that sets it announces it in its offer.
   * A server requires it from clients that offer `client_max_window_bits`, as browsers do. @default 12
   */
  readonly clientMaxWindowBits?: number | undefined;
  /** Compression level of zlib, 1 (fast) to 9 (small). @default 6 */
  readonly level?: number | undefined;
  /** Memory level of zlib, 1 to 9. @default 5 */
  readonly memLevel?: number | undefined;
  /** Shorter messages are sent uncompressed. In bytes. @default 256 */
  readonly threshold?: number | undefined;
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
  const flag = (name: "clientNoContextTakeover" | "serverNoContextTakeover"): boolean =>
    checkBoolean(`compression.${name}`, options[name], false);
  const number = (name: NumberOption, lowest: number, highest: number, fallback: number): number =>
    checkRange(`compression.${name}`, options[name], lowest, highest) ?? fallback;
  return {
    wanted: {
      serverNoContextTakeover: flag("serverNoContextTakeover"),
      clientNoContextTakeover: flag("clientNoContextTakeover"),
      // Windows of 4 KiB compress messages of a few kilobytes as well as 32 KiB do, at half the cost and an eighth of
      // the memory.
      serverMaxWindowBits: number("serverMaxWindowBits", 8, 15, 12),
      clientMaxWindowBits: number("clientMaxWindowBits", 8, 15, 12),
    },
    namesServerWindow: options.serverMaxWindowBits !== undefined,
    namesClientWindow: options.clientMaxWindowBits !== undefined,
    tuning: {
      level: number("level", 1, 9, 6),
      memLevel: number("memLevel", 1, 9, 5),
      threshold: number("threshold", 0, Number.MAX_SAFE_INTEGER, 256),
    },
  };
}

type NumberOption = "clientMaxWindowBits" | "level" | "memLevel" | "serverMaxWindowBits" | "threshold";

/** The names that `ws` uses in `perMessageDeflate`. */
const COMPRESSION_ADVICE: OptionAdvice = {
  zlibDeflateOptions: "Use `level` and `memLevel`",
  zlibInflateOptions: "Remove it",
  concurrencyLimit: "Remove it",
};

function checkRange(
  name: string,
  value: number | undefined,
  lowest: number,
  highest: number,
): number | undefined {
  const isValid = value === undefined || (Number.isInteger(value) && value >= lowest && value <= highest);
  if (isValid) return value;
  throw invalidArgument(name, `a whole number from ${lowest} to ${highest}`, value);
}
