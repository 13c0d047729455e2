// A session was lost: why, what became of its messages, and what to do.

import { explainLoss } from "../../session/explain-loss.js";
import type { SessionLostError } from "../../shared/session-errors.js";
import type { Explanation } from "./explanation.js";

export function explainSessionLoss({ reason, unsent, unknown }: SessionLostError): Explanation {
  const likely =
    unsent + unknown === 0
      ? "The peer has confirmed everything that this side sent."
      : `Of the messages that this side sent, ${unsent} did not arrive, and ${unknown} may have arrived.`;
  return { ...explainLoss(reason), likely };
}
