// Explains the end of a connection, or why it did not open, with what a program outside of a browser can find out.

import type { HoldfastError } from "../../shared/errors.js";
import type { CloseInfo } from "../close-info.js";
import { explainEnd } from "./explain-end.js";
import { explainOpenFailure } from "./open-failure.js";

/**
 * Explains how a connection ended, or why it did not open: what happened, what the evidence makes likely, and what to do
 * about it.
 *
 * @param ended the value of `connection.closed`, `info` of a `disconnected` event, or the error with which `connect()`,
 *   `recv()`, `send()` or `ping()` rejected
 * @returns several sentences of English, for a log or a terminal. The wording may change between versions, so decide by
 * `info.cause` and `info.code`, or by `error.failure`.
 * @throws InvalidArgumentError for anything but a CloseInfo or an error of this library
 */
export function explain(ended: CloseInfo | HoldfastError): string {
  return explainEnd(ended, explainOpenFailure);
}
