// The policies for receivers of broadcasts that do not keep up.

import type { CloseFrame } from "../../shared/close-code.js";

/**
 * The treatment of a receiver that does not keep up:
 * - `"skip"`: do not send it this message;
 * - `"close"`: close it with 1013 (try again later), and drop its queued messages;
 * - `"buffer"`: queue the message, with a higher default `limit`; beyond the limit, close it as with `"close"`.
 */
export type SlowPolicy = "buffer" | "close" | "skip";

/** The default limit of unsent bytes. */
export function defaultSlowLimit(policy: string): number {
  return policy === "buffer" ? 1024 * 1024 : 64 * 1024;
}

export const TOO_SLOW: CloseFrame = { code: 1013, reason: "too slow" };
