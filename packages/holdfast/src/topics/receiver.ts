// A connection that receives a topic, and the words of the link protocol that it is sent.

import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import type { ConnectionCore } from "../connection/connection-core.js";
import type { Position } from "./position.js";

export interface ReceiverSettings {
  readonly slow: "buffer" | "catch-up" | "close" | "skip";
  /** The number of unsent bytes from which a receiver is slow. */
  readonly limit: number;
}

export class Receiver {
  readonly connection: Connection;
  readonly core: ConnectionCore;
  /** Whether the peer speaks the link protocol. */
  readonly isLink: boolean;
  readonly settings: ReceiverSettings;
  readonly #escapedTopic: string;
  /** The last position that it received, while it does not follow the topic's own sequence. */
  position: Position | null = null;
  /** Whether the server has subscribed it on its own, rather than when the client asked. */
  isOffered = false;
  /** Whether it has a member in the topic's presence. */
  isMember = false;
  isGone = false;
  /** While it joins the topic: settles once it has, or could not. */
  joining: Promise<void> | null = null;
  /** Incremented at each new start, so that pending work of an earlier one ends. */
  run = 0;

  constructor(connection: Connection, escapedTopic: string, settings: ReceiverSettings) {
    this.connection = connection;
    this.core = coreOf(connection);
    this.isLink = this.core.link !== null;
    this.settings = settings;
    this.#escapedTopic = escapedTopic;
  }

  /** Whether it has not started again since this number, and its connection is open. */
  isCurrent(run: number): boolean {
    return !this.isGone && this.run === run && this.core.state === "open";
  }

  /** Notifies the client that the history of a topic has begun: the next message follows this position. */
  sendPosition(position: Position | null): void {
    if (this.isLink) void this.core.sendWord("at", this.#describe(position));
  }

  /** Notifies the client that messages before this position are missing. Resolves when there is room for more. */
  sendGap(position: Position | null): Promise<void> {
    return this.isLink ? this.core.sendWord("gap", this.#describe(position)) : Promise.resolve();
  }

  /** Notifies the client that the subscription has ended. */
  sendEnd(): void {
    if (this.isLink) void this.core.sendWord("ended", this.#escapedTopic);
  }

  #describe(position: Position | null): string {
    return `${this.#escapedTopic} ${describePosition(position)}`;
  }
}

/** A position as two arguments of a link message. */
export function describePosition(position: Position | null): string {
  return position === null ? "- -" : `${position.epoch} ${position.offset}`;
}
