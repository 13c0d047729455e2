// Delays of this side that may have made the peer declare it dead.

import type { CloseEvidence } from "../close-info.js";
import { joined } from "./explanation.js";
import { duration, size } from "./measures.js";

/** Undefined if none was measured. */
export function ownDelays({ longestStall, isReadingPaused, bytesUnread }: CloseEvidence): string | undefined {
  const stall = `This process did not run for ${duration(longestStall)} at a time (a blocked event loop, or a sleeping machine).`;
  const pause = `Reading was paused with ${size(bytesUnread)} unread, so the pong went out late: this side was overloaded.`;
  return joined(longestStall > 0 && stall, isReadingPaused && pause);
}
