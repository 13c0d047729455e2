// The position from which to continue after a page of the history from which messages are missing.

import type { Position } from "../position.js";
import type { Page } from "./engine.js";

/**
 * The position before the oldest message that is left, or that the reader may still get; null if there is no history.
 * @param maxMessages the number of messages that the reader may get
 */
export function positionAfterGap({ messages, newest }: Page, maxMessages: number): Position | null {
  if (newest === null) return null;
  const oldest = messages.at(0)?.offset ?? newest.offset + 1;
  return { epoch: newest.epoch, offset: Math.max(oldest - 1, newest.offset - maxMessages, 0) };
}
