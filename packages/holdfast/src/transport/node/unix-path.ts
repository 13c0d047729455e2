// The path of a Unix socket, as the operating system takes it.

import { Buffer } from "node:buffer";
import { platform } from "node:process";
import { InvalidArgumentError } from "../../shared/errors.js";
import { quote } from "../../shared/quote.js";

/**
 * Bytes of `sun_path` (unix(7)): 108 on Linux, 104 on macOS and the BSDs. Named pipes of Windows have no such limit.
 *
 * Node cuts a longer path off without an error, and then uses a different socket.
 */
const LONGEST_PATH = platform === "win32" ? Infinity : platform === "linux" ? 108 : 104;

/** @throws InvalidArgumentError for a path that is too long */
export function checkUnixPath(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= LONGEST_PATH) return;
  throw new InvalidArgumentError(
    `Expected the path of a Unix socket to have at most ${LONGEST_PATH} bytes, got ${length}: ${quote(path)}.`,
  );
}
