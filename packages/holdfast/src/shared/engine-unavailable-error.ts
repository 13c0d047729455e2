// The error of a store or a message broker that topics and sessions run on.

import { HoldfastError } from "./errors.js";

/**
 * Whether the engine received the request. `"unsent"`: it received no part of it. `"unknown"`: it may have carried it
 * out.
 */
export type EngineOutcome = "unknown" | "unsent";

/** The engine of topics or sessions did not answer, or answered with an error of its own. `cause` has the details. */
export class EngineUnavailableError extends HoldfastError {
  static {
    this.prototype.name = "EngineUnavailableError";
  }

  /** Whether the request may have been carried out. */
  readonly outcome: EngineOutcome;

  /** @param message what happened, as one sentence with its full stop */
  constructor(message: string, outcome: EngineOutcome, cause?: unknown) {
    const options = { code: "ERR_HOLDFAST_ENGINE_UNAVAILABLE" } as const;
    super(`${message} ${ADVICE[outcome]}`, cause === undefined ? options : { ...options, cause });
    this.outcome = outcome;
  }
}

const ADVICE: Readonly<Record<EngineOutcome, string>> = {
  unsent: "Nothing was sent, so try again.",
  unknown: "It may have been carried out. Try again; a message with the same `id` is delivered once.",
};
