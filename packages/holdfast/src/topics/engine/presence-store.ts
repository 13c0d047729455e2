// The presence of an engine: the members of topics, in all processes.

import type { Position } from "../position.js";

/** A member of a topic. */
export interface Member {
  /** Unique among all processes: the id of a connection, with a suffix if several `createTopics()` share the engine. */
  readonly id: string;
  /** The option `presence` of `subscribe()`: a value that JSON can represent. */
  readonly data: unknown;
}

/**
 * The members of topics. An engine removes the members of a process that has ended within 12 s of its end, and reports
 * each once as `left`. It also removes members of a process that was suspended for longer; that process then adds them
 * again.
 */
export interface PresenceStore {
  /** Adds a member, or replaces the one with the same id, until it leaves or this process ends. */
  join(topic: string, member: Member): Promise<void>;
  /** Removes a member that this process added. Does nothing if there is none. */
  leave(topic: string, id: string): Promise<void>;
  /** The members, in no particular order. */
  list(topic: string): Promise<PresenceSnapshot>;
  /**
   * Begins to report changes: resolves with a snapshot once all later changes will be reported. As with messages, a
   * report is a hint: it may be missing, repeated or out of order, and `version` shows that.
   */
  watch(topic: string, onChange: PresenceListener): Promise<PresenceSnapshot>;
  /** Ends `watch` for this function. */
  unwatch(topic: string, onChange: PresenceListener): void;
}

/** Called with a change, or with null if changes may have been lost; the watcher then lists the members again. */
export type PresenceListener = (change: PresenceChange | null) => void;

/** The members of a topic at one moment. */
export interface PresenceSnapshot {
  readonly version: Position;
  readonly members: readonly Member[];
}

/** A change of the members of a topic. */
export interface PresenceChange {
  /** Its offset is that of the state before the change, plus 1, in the same epoch. */
  readonly version: Position;
  /** Members that are new or have new data. */
  readonly joined: readonly Member[];
  readonly left: readonly Member[];
}
