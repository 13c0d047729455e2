// Asks the application for the owner of a session.

import type { Clock } from "../../connection/ports.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { describe } from "../../shared/option-checks.js";
import type { ServerRequest } from "../upgrade/server-request.js";
import type { SessionSettings } from "./session-options.js";
import { withinTime } from "./within-time.js";

/** Rejects if the function fails, returns something else, or takes too long. */
export async function ownerOf(
  request: ServerRequest,
  option: SessionSettings["owner"],
  clock: Clock,
): Promise<string | null> {
  if (option === undefined) return null;
  const owner: unknown = await withinTime(() => option(request), clock, "`sessions.owner`");
  if (owner === null || owner === undefined) return null;
  if (typeof owner === "string") return owner;
  throw new InvalidArgumentError(
    `Expected \`sessions.owner\` to return a string or null, got ${describe(owner)}.`,
  );
}
