// The receivers of a topic that get each message when it arrives, in groups with the same encoding and policy. Sending
// to ten thousand of them then touches only the connections, and no other objects.

import type { ConnectionCore } from "../connection/connection-core.js";
import type { Receiver } from "./receiver.js";
import type { TopicFrames } from "./topic-frames.js";

interface Group {
  readonly isLink: boolean;
  readonly limit: number;
  readonly receivers: Map<ConnectionCore, Receiver>;
}

export class LiveReceivers {
  /** Usually few: one for each combination of the options passed to `subscribe()`. */
  readonly #groups: Group[] = [];

  get size(): number {
    return this.#groups.reduce((size, { receivers }) => size + receivers.size, 0);
  }

  /** Whether there is more than one. */
  get hasSeveral(): boolean {
    return this.#groups.length > 1 || (this.#groups.at(0)?.receivers.size ?? 0) > 1;
  }

  has(receiver: Receiver): boolean {
    return this.#groupOf(receiver)?.receivers.get(receiver.core) === receiver;
  }

  add(receiver: Receiver): void {
    let group = this.#groupOf(receiver);
    if (group === undefined) {
      group = { isLink: receiver.isLink, limit: receiver.settings.limit, receivers: new Map() };
      this.#groups.push(group);
    }
    group.receivers.set(receiver.core, receiver);
  }

  delete(receiver: Receiver): void {
    const group = this.#groupOf(receiver);
    if (group?.receivers.delete(receiver.core) !== true || group.receivers.size > 0) return;
    this.#groups.splice(this.#groups.indexOf(group), 1);
  }

  /** Calls `onSlow` for each receiver that does not keep up and did not get the message. */
  send(frames: TopicFrames, onSlow: (receiver: Receiver) => void): void {
    for (const { isLink, limit, receivers } of this.#copyOfGroups()) {
      for (const core of receivers.keys()) {
        if (frames.trySend(core, isLink, limit) !== "slow") continue;
        const receiver = receivers.get(core);
        if (receiver !== undefined) onSlow(receiver);
      }
    }
  }

  forEach(callback: (receiver: Receiver) => void): void {
    for (const { receivers } of this.#copyOfGroups()) receivers.forEach(callback);
  }

  /** A callback may remove the last receiver of a group. */
  #copyOfGroups(): readonly Group[] {
    return this.#groups.slice();
  }

  #groupOf({ isLink, settings }: Receiver): Group | undefined {
    return this.#groups.find((group) => group.isLink === isLink && group.limit === settings.limit);
  }
}
