// Delays of this side that may have made the peer declare it dead.

import type { CloseEvidence } from "../close-info.js";
import { joined } from "./explanation.js";
import { duration, size } from "./measures.js";

/** Undefined if none was measured. */
export function ownDelays(evidence: CloseEvidence): string | undefined {
  const pause = `Reading was paused with ${size(evidence.bytesUnread)} unread, so the pong went out late: this side was overloaded.`;
  return joined(ownStall(evidence), evidence.isReadingPaused && pause);
}

/** False if none was measured. */
export function ownStall({ longestStall }: CloseEvidence): string | false {
  return (
    longestStall > 0 &&
    `This process did not run for ${duration(longestStall)} at a time (a blocked event loop, or a sleeping machine).`
  );
}

/** A clause about the messages that the application has not read. */
export function ownOverload({ bytesUnread, messagesUnread }: CloseEvidence): string {
  return `${size(bytesUnread)} in ${messagesUnread} messages waited to be read here: this side was overloaded`;
}
