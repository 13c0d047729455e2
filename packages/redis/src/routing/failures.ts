// Errors of Redis, as errors of the engine.

import { EngineUnavailableError, type EngineOutcome } from "holdfast/topics";

/** Redis refused the command. @param source that of the script, whose lines name the commands */
export function refused(
  cause: Error,
  outcome: EngineOutcome = outcomeOf(cause.message),
  source = "",
): EngineUnavailableError {
  return new EngineUnavailableError(explain(cause.message, source), outcome, cause);
}

/** A command in a script may be refused after others were executed. */
const IN_SCRIPT = /script: [0-9a-f]{40}, on @user_script:(\d+)/;
/** Redis refuses the first write of a script with these, but no later one. */
const BEFORE_WRITES = /^(OOM|READONLY|MASTERDOWN|MISCONF|NOREPLICAS) /;

function outcomeOf(message: string): EngineOutcome {
  return IN_SCRIPT.test(message) && !BEFORE_WRITES.test(message) ? "unknown" : "unsent";
}

export function closedEngine(): EngineUnavailableError {
  return new EngineUnavailableError("The engine is closed: create a new one.", "unsent");
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

function explain(message: string, source: string): string {
  if (/unknown (redis )?command/i.test(message)) {
    return "Redis does not know a command that the engine needs: it has to be Redis 7.0 or later.";
  }
  if (/^(READONLY|MASTERDOWN)/.test(message)) return "The client is connected to a replica of Redis.";
  if (message.startsWith("OOM")) return "Redis has reached its memory limit.";
  const reason = message.replace(/\.?\s*$/, "") + commandsOf(message, source);
  if (/^NOPERM|ACL|user executing the script can't/.test(message)) {
    return `Redis denies a command, a key or a channel that the engine needs: ${reason}.`;
  }
  if (message.startsWith("WRONGTYPE"))
    return "A key of the engine holds something else. Set another `prefix`.";
  return `Redis refused: ${reason}.`;
}

/** The commands in the line of the script that failed: Redis does not name the one that it denies. */
function commandsOf(message: string, source: string): string {
  const line = source.split("\n")[Number(IN_SCRIPT.exec(message)?.[1]) - 1] ?? "";
  const names = [...line.matchAll(/call\('([A-Z]+)'/g)].map(([, name]) => name);
  return names.length === 0 ? "" : ` (command ${names.join(" or ")})`;
}
