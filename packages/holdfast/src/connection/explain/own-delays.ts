// Delays of this side that may have made the peer declare it dead.

import type { CloseEvidence } from "../close-info.js";
import { duration, size } from "./measures.js";

export function ownDelays(evidence: CloseEvidence): readonly string[] {
  const delays: string[] = [];
  if (evidence.longestStall > 0) {
    delays.push(
      `This process did not run for ${duration(evidence.longestStall)} at a time (a blocked event loop, or a sleeping machine).`,
    );
  }
  if (evidence.isReadingPaused) {
    delays.push(
      `Reading was paused with ${size(evidence.bytesUnread)} unread, so the pong went out late: this side was overloaded.`,
    );
  }
  return delays;
}
