// A connection that receives a topic, and its part of the link protocol's words.

import { coreOf, type Connection } from "../connection/connection.js";
import type { ConnectionCore } from "../connection/connection-core.js";
import type { Position } from "./position.js";

export interface ReceiverSettings {
  readonly slow: "buffer" | "catch-up" | "close" | "skip";
  /** Unsent bytes from which a receiver is slow. */
  readonly limit: number;
}

export class Receiver {
  readonly connection: Connection;
  readonly core: ConnectionCore;
  /** Whether the peer speaks the link protocol. */
  readonly isLink: boolean;
  readonly settings: ReceiverSettings;
  readonly #escapedTopic: string;
  /** While it is not in step with the topic: the last position that it received. */
  position: Position | null = null;
  /** Whether it has a member in the topic's presence. */
  isMember = false;
  isGone = false;
  /** Counts the times that it began anew, so that what was begun before ends. */
  run = 0;

  constructor(connection: Connection, escapedTopic: string, settings: ReceiverSettings) {
    this.connection = connection;
    this.core = coreOf(connection);
    this.isLink = this.core.link !== null;
    this.settings = settings;
    this.#escapedTopic = escapedTopic;
  }

  /** Whether it is still in what it began with this number, on a connection that is open. */
  isCurrent(run: number): boolean {
    return !this.isGone && this.run === run && this.core.state === "open";
  }

  /** Tells a link that the history of a topic has begun: the next message follows this position. */
  sendPosition(position: Position | null): void {
    if (this.isLink) void this.core.sendWord("at", this.#describe(position));
  }

  /** Tells a link that messages before this position are missing. Resolves when it has room for more. */
  sendGap(position: Position | null): Promise<void> {
    return this.isLink ? this.core.sendWord("gap", this.#describe(position)) : Promise.resolve();
  }

  /** Tells a link that the subscription is over. */
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
