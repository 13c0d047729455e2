// Options of the class itself, among those of the connection.

import { checkSize, invalidArgument } from "../shared/option-checks.js";
import type { BufferOptions } from "./web-socket-types.js";

const DEFAULT_LIMIT = 64 * 1024 * 1024;

/** Options that the constructor's arguments replace. */
const REPLACED = [
  ["subprotocols", "left out: pass them as the second argument"],
  ["requireSubprotocol", "left out: the standard requires one if any was offered"],
  ["text", "left out: the standard delivers text as strings"],
  ["signal", "left out: close() aborts opening"],
] as const;

/**
 * Separates the options of the class from those of the connection.
 * @throws InvalidArgumentError
 */
export function checkBufferOptions(value: unknown): {
  readonly maxBufferedAmount: number;
  readonly options: object;
} {
  if (value !== undefined && (typeof value !== "object" || value === null)) {
    throw invalidArgument("holdfast", "an object of options", value);
  }
  const { maxBufferedAmount, ...options } = (value ?? {}) as BufferOptions & Record<string, unknown>; // Checked one by one.
  for (const [name, expected] of REPLACED) {
    if (options[name] !== undefined) throw invalidArgument(name, expected, options[name]);
  }
  const limit = checkSize("maxBufferedAmount", maxBufferedAmount, DEFAULT_LIMIT) ?? Infinity;
  return { maxBufferedAmount: limit, options };
}
