// `explain()` with advice for browsers.

import type { CloseInfo } from "../connection/close-info.js";
import { checkCloseInfo, explain as explainAnywhere } from "../connection/explain/explain.js";
import { isUnexplained } from "./open-web-socket.js";

/**
 * Explains how a connection ended: what happened, the likely reason according to the evidence, and what to do. Returns
 * several English sentences, for a log or a console.
 * @throws InvalidArgumentError for anything but a CloseInfo
 */
export function explain(info: CloseInfo): string {
  checkCloseInfo(info);
  if (isUnexplained(info.error)) return `${info.error?.message ?? ""} ${OPEN_ADVICE}`;
  const { openedAt, pingInterval } = info.evidence;
  const lacksHeartbeat = openedAt !== null && pingInterval === null && info.initiator === "network";
  return lacksHeartbeat ? `${explainAnywhere(info)} ${HEARTBEAT_ADVICE}` : explainAnywhere(info);
}

const OPEN_ADVICE =
  "Look at the browser's console and at the server's log; a status such as 401 or 404, or an origin that the server does not allow, shows only there. Try again with growing delays.";

const HEARTBEAT_ADVICE =
  "There was no heartbeat: a page has no pings of its own. It gets them from a server that speaks Holdfast's link protocol, or from `heartbeat` functions that make messages which the server answers.";
