// `explain()` with advice for browsers.

import type { CloseCause, CloseInfo } from "../connection/close-info.js";
import { explainEnd } from "../connection/explain/explain-end.js";
import type { Explanation } from "../connection/explain/explanation.js";
import type { HoldfastError } from "../shared/errors.js";
import { withoutFullStop } from "../shared/full-stop.js";
import { isUnexplained } from "./open-web-socket.js";

/**
 * Explains how a connection ended, or why it did not open: what happened, the likely reason according to the evidence,
 * and what to do. Returns several English sentences, for a log or a console.
 *
 * @param ended the value of `connection.closed`, `info` of a `disconnected` event, or the error with which `connect()`,
 *   `recv()`, `send()` or `ping()` rejected
 * @throws InvalidArgumentError for anything but a CloseInfo or an error of this library
 */
export function explain(ended: CloseInfo | HoldfastError): string {
  const text = explainEnd(ended, explainOpening);
  const info = "evidence" in ended ? ended : "info" in ended ? (ended.info as CloseInfo) : null;
  if (info === null) return text;
  const { openedAt, pingInterval } = info.evidence;
  const lacksHeartbeat = openedAt !== null && pingInterval === null && info.initiator === "network";
  return lacksHeartbeat ? `${text} ${HEARTBEAT_ADVICE}` : text;
}

/** A page learns little about a failure. */
function explainOpening(cause: CloseCause, error: Error | null): Explanation {
  const detail = withoutFullStop(error?.message ?? "The connection could not be opened");
  if (isUnexplained(error)) return { happened: detail, advice: OPEN_ADVICE };
  if (cause === "aborted") return { happened: `This side gave up before the connection was open: ${detail}` };
  if (cause !== "open-timeout") return { happened: `The connection could not be opened: ${detail}` };
  return {
    happened: detail,
    likely: "The host is down or overloaded, or a firewall drops the packets.",
    advice: "Try again later, or raise `openTimeout`.",
  };
}

const OPEN_ADVICE =
  "Look at the browser's console and at the server's log; a status such as 401 or 404, or an origin that the server does not allow, shows only there. Try again with growing delays.";

const HEARTBEAT_ADVICE =
  "There was no heartbeat: a page has no pings of its own. It gets them from a server that speaks Holdfast's link protocol, or from `heartbeat` functions that make messages which the server answers.";
