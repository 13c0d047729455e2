// What a client tells its logger of opening. Whoever opens is told of a failure by its error: so this is for debugging.

import { HandshakeError, InvalidStatusError } from "../../shared/errors.js";
import { showURL } from "../../shared/show-url.js";
import { errorOf } from "../../shared/thrown.js";
import type { Logger } from "../ports.js";
import { responseLines } from "./handshake-lines.js";

/** @param opening settles as the attempt does; nothing is changed about it */
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
