// Separates mistakes in this side's arguments from failures of the peer or the network.

import { InvalidArgumentError, InvalidHeaderError, InvalidURLError } from "./errors.js";

/** Whether an argument, a URL or a header of the application is wrong: a retry does not help. */
export function isLocalError(error: Error): boolean {
  return [InvalidArgumentError, InvalidURLError, InvalidHeaderError].some((kind) => error instanceof kind);
}
