// Which ends of a socket end its session as well.

import type { CloseFrame } from "../../shared/close-code.js";
import type { CloseInfo } from "../../connection/close-info.js";

/** Close codes after which the client may resume: the peer goes away, or failed, or a proxy did. */
const RESUMABLE: ReadonlySet<number> = new Set([1001, 1006, 1011, 1012, 1013, 1014]);

/** Added by a page to a code that browsers do not let it send: 4001 stands for 1001. */
const PRIVATE = 3000;

/** Whether this end ends the session when it sends a Close with this code. Then it sends `end` first. */
export function endsSession(code: number): boolean {
  return !RESUMABLE.has(code);
}

/** Whether a Close with this code ends the session. If a private code does, `end` was sent before it. */
export function hasEndingCode({ code }: CloseFrame): boolean {
  return !RESUMABLE.has(code) && !RESUMABLE.has(code - PRIVATE);
}

/** Ends of a socket after which a replay would only repeat the failure. */
const BROKEN: ReadonlySet<CloseInfo["cause"]> = new Set<CloseInfo["cause"]>([
  "invalid-data",
  "message-too-big",
  "protocol-error",
]);

/** Whether the session has ended with this socket. */
export function hasEndedSession({ cause, received, sent, receivedFirst }: CloseInfo): boolean {
  if (BROKEN.has(cause)) return true;
  const first = receivedFirst || sent === null ? received : sent;
  return first !== null && hasEndingCode(first);
}

/**
 * The same for a socket on which the server has not answered for the session. It closes with 1008 if the client was too
 * slow, for example because its machine slept: the session is still there.
 */
export function hasEndedUnanswered(info: CloseInfo): boolean {
  return info.received?.code !== 1008 && hasEndedSession(info);
}
