// Errors of Redis, as errors of the engine.

import { EngineUnavailableError, type EngineOutcome } from "holdfast/topics";

/** Redis refused the command. Unless it says otherwise, it executed nothing. */
export function refused(cause: Error, outcome: EngineOutcome = "unsent"): EngineUnavailableError {
  return new EngineUnavailableError(explain(cause.message), outcome, cause);
}

export function closedEngine(): EngineUnavailableError {
  return new EngineUnavailableError("The engine is closed.", "unsent");
}

export function noConnection(cause: unknown): EngineUnavailableError {
  return new EngineUnavailableError("There is no connection to Redis.", "unsent", cause);
}

/** No connection could be opened. The message has the last reason: the password may be wrong. */
export function cannotConnect(cause: unknown): EngineUnavailableError {
  const { message = "", code = "" } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : {};
  const reason = (message === "" ? code : message).replace(/\.?\s*$/, ""); // The error of several addresses has no message.
  const text = `There is no connection to Redis${reason === "" ? "" : `: ${reason}`}.`;
  return new EngineUnavailableError(text, "unsent", cause);
}

export function noReply(cause: unknown): EngineUnavailableError {
  return new EngineUnavailableError("Redis did not reply.", "unknown", cause);
}

/** @param outcome for errors that are not engine errors yet */
export function toEngineError(error: unknown, outcome: EngineOutcome): EngineUnavailableError {
  if (error instanceof EngineUnavailableError) return error;
  return new EngineUnavailableError("Redis failed.", outcome, error);
}

function explain(message: string): string {
  if (/unknown (redis )?command/i.test(message)) {
    return "Redis does not know a command that the engine needs: it has to be Redis 7.0 or later.";
  }
  if (/^(READONLY|MASTERDOWN)/.test(message)) return "The client is connected to a replica of Redis.";
  if (message.startsWith("OOM")) return "Redis has reached its memory limit.";
  if (/^NOPERM|ACL|user executing the script can't/.test(message)) {
    return `Redis denies a command, a key or a channel that the engine needs: ${message.replace(/\.?\s*$/, "")}.`;
  }
  if (message.startsWith("WRONGTYPE"))
    return "A key of the engine holds something else. Set another `prefix`.";
  return "Redis refused.";
}
