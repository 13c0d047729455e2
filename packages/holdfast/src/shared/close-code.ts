// Close codes: their names, and which may be sent (RFC 6455 section 7.4, IANA's WebSocket Close Code Number Registry).

import { escapeControls } from "./control-characters.js";

const NAMES: ReadonlyMap<number, string> = new Map([
  [1000, "OK"],
  [1001, "going away"],
  [1002, "protocol error"],
  [1003, "unsupported data"],
  [1005, "no status received [internal]"],
  [1006, "abnormal closure [internal]"],
  [1007, "invalid frame payload data"],
  [1008, "policy violation"],
  [1009, "message too big"],
  [1010, "mandatory extension"],
  [1011, "internal error"],
  [1012, "service restart"],
  [1013, "try again later"],
  [1014, "bad gateway"],
  [1015, "TLS handshake failure [internal]"],
]);

/** The code of a Close frame (1005 for an empty one) and its reason. */
export interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

/** An empty Close frame, as a `CloseFrame`. */
export const NO_STATUS: CloseFrame = { code: 1005, reason: "" };

/** The reason of a Close frame holds at most 123 bytes of UTF-8: 125 minus two for the code. */
export const MAX_REASON_SIZE = 123;

/** The meaning of a code, in the words of RFC 6455 and IANA's registry. */
export function closeCodeName(code: number): string {
  const name = NAMES.get(code);
  if (name !== undefined) return name;
  if (code >= 3000 && code <= 3999) return "registered";
  if (code >= 4000 && code <= 4999) return "private use";
  return "unknown";
}

/** A Close for people, on one line: `1001 (going away) server restarts`. */
export function describeClose(close: CloseFrame): string {
  const named = `${close.code} (${closeCodeName(close.code)})`;
  return close.reason === "" ? named : `${named} ${escapeControls(close.reason)}`;
}

/** Whether a Close frame may carry the code: 1005, 1006 and 1015 are never sent, and the other gaps are unassigned. */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
