// Decides whether a client may resume a session. Its own file, because stores need it and nothing else of sessions.

import type { SessionProof } from "./server-session.js";
import { equalInConstantTime } from "./session-id.js";

/**
 * Whether a client may resume a session: null for yes. A wrong secret gets the same answer as an unknown id. Check this
 * before the session is touched or claimed.
 */
export function judgeProof(
  session: SessionProof | null,
  proof: SessionProof,
): "forbidden" | "unknown" | null {
  if (session === null || !equalInConstantTime(session.secretHash, proof.secretHash)) return "unknown";
  return session.owner === proof.owner ? null : "forbidden";
}
