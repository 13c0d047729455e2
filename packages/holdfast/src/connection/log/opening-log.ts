// Logs a client's attempts to open a connection, at `debug`: the caller gets failures as errors.

import { HandshakeError, InvalidStatusError } from "../../shared/errors.js";
import { showURL } from "../../shared/show-url.js";
import { errorOf } from "../../shared/thrown.js";
import type { Logger } from "../ports.js";
import { responseLines } from "./handshake-lines.js";

/** @param opening settles as the attempt does; this function only observes it */
export function logOpening(logger: Logger, url: string, opening: Promise<unknown>): void {
  const shown = showURL(url);
  const attempt = { side: "client", url: shown } as const;
  logger.debug(`= opening ${shown}`, attempt);
  opening.catch((thrown: unknown) => {
    const error = errorOf(thrown);
    if (error instanceof InvalidStatusError) {
      for (const line of responseLines(error)) logger.debug(`< ${line}`, attempt);
    }
    const cause = error instanceof HandshakeError ? error.failure : "aborted";
    logger.debug(`! ${cause}: ${error.message}`, { ...attempt, cause, error });
  });
}
