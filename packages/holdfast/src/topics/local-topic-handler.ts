// The surroundings of a topic in this process, and what a subscriber learns when it joins.

import type { Runtime } from "../connection/runtime.js";
import type { TopicsObserver } from "./diagnostics.js";
import type { EngineHealth } from "./engine-health.js";
import type { Engine, HistoryLimits } from "./engine/engine.js";
import type { Position } from "./position.js";
import type { Receiver } from "./receiver.js";

export interface LocalTopicHandler {
  readonly runtime: Runtime;
  readonly engine: Engine;
  readonly observer: TopicsObserver;
  readonly health: EngineHealth;
  /** Null if messages have none, except those that are published with their own. */
  readonly history: HistoryLimits | null;
  /** The number of messages that a returning subscriber gets at most. */
  readonly maxRecovery: number;
  onGap(receiver: Receiver, topic: string, after: Position | null, position: Position | null): void;
  /** A read failed, which is an error of the application's engine. It is repeated after `delay` milliseconds. */
  onRetry(topic: string, what: "history", error: unknown, delay: number): void;
  onError(message: string, error: unknown): void;
}

/** How a connection subscribes. */
export interface NewReceiver {
  readonly since: Position | null;
  /** Undefined for none. */
  readonly presence: unknown;
  readonly settings: Receiver["settings"];
  /** Whether the client asked for it. */
  readonly isAsked: boolean;
  /** Called before the first message is sent. */
  readonly onJoined: (joined: Joined) => void;
}

/** The start of a receiver's messages. */
export interface Joined {
  /** Whether nothing is missing after `since`; false without `since`. */
  readonly recovered: boolean;
  /** The position that the messages follow; null for a topic without history. */
  readonly position: Position | null;
}
