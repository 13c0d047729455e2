// Options of the opening handshake for both roles.

import type { HeadLimits } from "../protocol/handshake/head-failure.js";
import { checkDuration, checkSize, invalidArgument } from "../shared/option-checks.js";

/** The limit of header fields in an upgrade. More are an attack or a mistake. */
const MAX_HEADERS = 128;
const MAX_HANDSHAKE_SIZE = 16 * 1024;

/** @throws InvalidArgumentError */
export function checkOpenTimeout(value: unknown): number | null {
  return checkDuration("openTimeout", value, 10_000);
}

/** @throws InvalidArgumentError if the handshake could only fail */
export function checkRequiredSubprotocol(subprotocols: readonly string[], isRequired: boolean): void {
  if (isRequired && subprotocols.length === 0) {
    throw invalidArgument(
      "subprotocols",
      "at least one name beside `requireSubprotocol: true`",
      subprotocols,
    );
  }
}

/** @throws InvalidArgumentError */
export function checkHeadLimits(maxHandshakeSize: unknown): HeadLimits {
  return {
    maxSize: checkSize("maxHandshakeSize", maxHandshakeSize, MAX_HANDSHAKE_SIZE) ?? Infinity,
    maxHeaders: MAX_HEADERS,
  };
}
