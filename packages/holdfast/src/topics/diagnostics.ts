// The port to an observer of all topics of a process. server/topic-channels.ts implements it on node:diagnostics_channel.
// Observation does not change what topics do.

import type { Connection } from "../connection/connection.js";
import type { EngineUnavailableError } from "../shared/engine-unavailable-error.js";
import type { TopicRefusal } from "./client/topic-error.js";
import type { Engine, Published } from "./engine/engine.js";
import type { Position } from "./position.js";

/** The channels of `node:diagnostics_channel` about topics, and the message of each. */
export interface TopicsDiagnosticsMessages {
  /** A publication of this process was decided. `duration` is in milliseconds from the call of `publish()`. */
  readonly "holdfast:topic:publish": {
    readonly topic: string;
    /** Null if it failed, or if the caller no longer waits. */
    readonly published: Published | null;
    readonly error: Error | null;
    readonly duration: number;
  };
  /** A message was passed to receivers of this process. `offset` is null without history. */
  readonly "holdfast:topic:deliver": {
    readonly topic: string;
    readonly offset: number | null;
    /** The number of connections. */
    readonly receivers: number;
  };
  /** A subscriber has missed messages: as the event `"gap"` of `topics.on()`. */
  readonly "holdfast:topic:gap": {
    readonly topic: string;
    readonly connection: Connection;
    readonly after: Position | null;
    readonly position: Position | null;
  };
  /** A receiver does not keep up, and its policy applies: it is closed, skips messages, or begins to catch up. */
  readonly "holdfast:topic:slow": {
    readonly topic: string;
    readonly connection: Connection;
    readonly policy: "buffer" | "catch-up" | "close" | "skip";
  };
  /**
   * Messages that are still to be read from the history: by a receiver that catches up, or by the topic itself after a
   * lost report (`connection` is null). 0 once it is in step.
   */
  readonly "holdfast:topic:lag": {
    readonly topic: string;
    readonly connection: Connection | null;
    readonly messages: number;
  };
  /** A connection was subscribed. */
  readonly "holdfast:topic:subscribe": { readonly topic: string; readonly connection: Connection };
  /** Its subscription has ended: also with the connection. */
  readonly "holdfast:topic:unsubscribe": { readonly topic: string; readonly connection: Connection };
  /** A connection of this process became a member of a topic, or is one no longer. */
  readonly "holdfast:topic:presence": {
    readonly topic: string;
    readonly connection: Connection;
    readonly change: "join" | "leave";
  };
  /** A request of a client was refused. `topic` is null if the client named none that is valid. */
  readonly "holdfast:topic:refused": {
    readonly topic: string | null;
    readonly connection: Connection;
    readonly reason: TopicRefusal | "unavailable-unknown" | "unavailable-unsent";
  };
  /** Reading the history, or the members, failed, and is tried again after `delay` milliseconds. */
  readonly "holdfast:topic:retry": {
    readonly topic: string;
    readonly what: "history" | "presence";
    readonly error: unknown;
    readonly delay: number;
  };
  /**
   * Calls to the engine began to fail, or succeed again. `error` is the first failure; null for `"available"`. Each
   * `createTopics()` reports what its own calls show.
   */
  readonly "holdfast:engine:state": {
    readonly engine: Engine;
    readonly state: "available" | "unavailable";
    readonly error: EngineUnavailableError | null;
  };
}

export interface TopicsObserver {
  /** Whether anybody listens: ask before building a message. */
  wants(channel: keyof TopicsDiagnosticsMessages): boolean;
  emit<Name extends keyof TopicsDiagnosticsMessages>(
    channel: Name,
    message: TopicsDiagnosticsMessages[Name],
  ): void;
}

export const NO_OBSERVER: TopicsObserver = { wants: () => false, emit: () => undefined };
