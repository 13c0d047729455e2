// The events that a subscriber of a topic receives.

import type { Message } from "../connection/reading/inbox.js";
import type { Position } from "./position.js";

/** A message of a topic. With history, it has a position. */
export interface TopicMessage {
  readonly type: "message";
  readonly topic: string;
  /** A string for a text message, bytes for a binary one. */
  readonly data: Message;
  /** The message's number in the topic's history, from 1; null for a message without history. */
  readonly offset: number | null;
  /** The history that `offset` counts in; null for a message without history. */
  readonly epoch: string | null;
  /** From the engine: whether connections may compress it. @default true */
  readonly compress?: boolean;
}

/**
 * Messages are missing: they are no longer in the history, or the engine lost them. The subscription continues after
 * `position`. Load the complete state again from its source.
 */
export interface TopicGap {
  readonly type: "gap";
  readonly topic: string;
  /** The last position before the gap; null if there is none. */
  readonly after: Position | null;
  /** The position that the next message follows; null for a topic without history. */
  readonly position: Position | null;
}

/** A message of a topic, or a gap where messages are missing. */
export type TopicEvent = TopicGap | TopicMessage;
