// Errors of NATS, as errors of the engine.

import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { MessageTooBigError } from "holdfast";
import { EngineUnavailableError, type EngineOutcome } from "holdfast/topics";

/** Codes of the JetStream API (`err_code`). */
export const STREAM_NOT_FOUND = 10059;
export const NAME_IN_USE = 10058;
export const WRONG_SEQUENCE = 10071;
const NOT_ENABLED = [10039, 10076];
const OUT_OF_RESOURCES = [10002, 10023, 10026, 10027, 10028, 10047, 10077];

export function closedEngine(): EngineUnavailableError {
  return new EngineUnavailableError("The engine is closed: create a new one.", "unsent");
}

/** @param refusal why the server refuses the connection */
export function noConnection(refusal?: Error): EngineUnavailableError {
  const reason = refusal === undefined ? "" : `: ${refusal.message}`;
  return new EngineUnavailableError(`There is no connection to NATS${reason}.`, "unsent", refusal);
}

export function noReply(cause?: unknown): EngineUnavailableError {
  return new EngineUnavailableError("NATS did not reply.", "unknown", cause);
}

/** Bytes that the subject and short headers may add to a message. */
const OVERHEAD = 512;

/** The bytes that a message may have. @param header bytes of its longest header */
export function sizeLimit(maxPayload: number, header: number): number {
  return maxPayload - OVERHEAD - header;
}

/**
 * Null if the message fits into the limit of the server.
 * @param header bytes of its longest header
 */
export function tooBig(
  name: string,
  size: number,
  maxPayload: number,
  header: number,
): MessageTooBigError | null {
  const limit = sizeLimit(maxPayload, header);
  if (size <= limit) return null;
  const message = `Expected ${name} of at most ${limit} bytes, since NATS has \`max_payload\` ${maxPayload}, got ${size}. Send less at a time, or raise the limit.`;
  return new MessageTooBigError(message, size, limit);
}

function noJetStream(cause?: unknown): EngineUnavailableError {
  const message = "JetStream is not enabled for this account or server. Start nats-server with `-js`.";
  return new EngineUnavailableError(message, "unsent", cause);
}

/** @param outcome used where NATS does not say whether it carried out the request */
export function toEngineError(error: unknown, outcome: EngineOutcome = "unknown"): EngineUnavailableError {
  if (error instanceof EngineUnavailableError) return error;
  const denied = deniedBy(error);
  if (denied !== null) {
    const message = `NATS denies ${denied.operation} "${denied.subject}", which the engine needs.`;
    return new EngineUnavailableError(message, "unsent", error);
  }
  const code = codeOf(error);
  if (NOT_ENABLED.includes(code)) return noJetStream(error);
  if (OUT_OF_RESOURCES.includes(code)) {
    return new EngineUnavailableError("JetStream has reached a limit of its storage.", "unsent", error);
  }
  if (isNoResponders(error)) return noJetStream(error);
  if (code !== 0) return new EngineUnavailableError(`JetStream refused${reasonOf(error)}.`, "unsent", error);
  if (error instanceof errors.TimeoutError) return noReply(error);
  if (error instanceof errors.ClosedConnectionError) return noConnection(error);
  return new EngineUnavailableError("NATS failed.", outcome, error);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `: ${error.message.replace(/\.?\s*$/, "")}` : "";
}

/** The error with which a call rejects: no attempt can succeed with what is too big. */
export function toCallError(error: unknown): EngineUnavailableError | MessageTooBigError {
  return error instanceof MessageTooBigError ? error : toEngineError(error);
}

/** The code of an error of the JetStream API; 0 for another error. */
export function codeOf(error: unknown): number {
  return error instanceof JetStreamApiError ? error.code : 0;
}

/** Nobody received the request. */
export function isNoResponders(error: unknown): boolean {
  return (
    error instanceof errors.NoRespondersError ||
    (error instanceof errors.RequestError && error.isNoResponders()) ||
    (error instanceof Error && error.name === "JetStreamNotEnabled")
  );
}

function deniedBy(error: unknown): InstanceType<typeof errors.PermissionViolationError> | null {
  if (error instanceof errors.PermissionViolationError) return error;
  return error instanceof Error && error.cause !== undefined ? deniedBy(error.cause) : null;
}
