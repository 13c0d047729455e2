// Pages may not send codes such as 1011 (WHATWG WebSockets), so Holdfast sends 4011 from there, and so on.

import type { CloseCause, CloseInfo } from "../close-info.js";

/** The reason in the verdicts of Holdfast and of other libraries. */
const VERDICT = "ping timeout";

/** Whether the peer declared this side dead. */
export function isPeersVerdict({ code, reason }: CloseInfo): boolean {
  return (code === 1011 || code === 4011) && reason.includes(VERDICT);
}

/** Explains the code that a page sent in place of another; null if none was replaced. */
export function standsFor(info: CloseInfo): string | null {
  const code = isPeersVerdict(info) ? info.code : chosenByLibrary.has(info.cause) ? info.sent?.code : null;
  if (code === null || code === undefined || code < 4001 || code > 4014) return null;
  return `A page may not send ${code - 3000}, so ${code} stands for it.`;
}

/** With these causes the library chose the code, not the application. */
const chosenByLibrary: ReadonlySet<CloseCause> = new Set([
  "aborted",
  "handler-failed",
  "heartbeat-timeout",
  "invalid-data",
  "message-too-big",
  "protocol-error",
  "server-shutdown",
]);
