// The listeners of this process that watch the members of topics.

import type { Member, PresenceListener, Position } from "holdfast/topics";
import type { Reply } from "../client/connection.js";
import type { Commands } from "../routing/commands.js";
import type { Partitions } from "../routing/partitions.js";
import { presenceKeys, VERSIONS } from "../scripts/presence.js";
import type { ChannelHandler, Subscriptions } from "../topics/subscriptions.js";

export class Watchers {
  readonly #commands: Commands;
  readonly #partitions: Partitions;
  readonly #subscriptions: Subscriptions;
  readonly #newEpoch: () => string;
  readonly #topics = new Map<string, WatchedTopic>();

  constructor(
    commands: Commands,
    partitions: Partitions,
    subscriptions: Subscriptions,
    newEpoch: () => string,
  ) {
    this.#commands = commands;
    this.#partitions = partitions;
    this.#subscriptions = subscriptions;
    this.#newEpoch = newEpoch;
  }

  /** Resolves once all later changes will be reported. */
  add(topic: string, onChange: PresenceListener, deadline: number): Promise<void> {
    let watched = this.#topics.get(topic);
    if (watched === undefined) this.#topics.set(topic, (watched = new WatchedTopic()));
    watched.listeners.add(onChange);
    return this.#subscriptions.subscribe(
      this.#partitions.of(topic),
      this.#channelOf(topic),
      watched,
      deadline,
    );
  }

  /** Whether it watched. */
  remove(topic: string, onChange: PresenceListener): boolean {
    const watched = this.#topics.get(topic);
    if (watched?.listeners.delete(onChange) !== true) return false;
    if (watched.listeners.size === 0) {
      this.#topics.delete(topic);
      this.#subscriptions.unsubscribe(this.#partitions.of(topic), this.#channelOf(topic));
    }
    return true;
  }

  /** The members were listed at this version. */
  onVersion(topic: string, version: Position): void {
    const watched = this.#topics.get(topic);
    if (watched?.isBehind(version) === true) watched.version = version;
  }

  /** Compares versions, because the newest report may have been lost silently. */
  check(): void {
    for (const [topic, watched] of this.#topics) void this.#check(topic, watched).catch(() => {});
  }

  async #check(topic: string, watched: WatchedTopic): Promise<void> {
    const { prefix, slot } = this.#partitions.of(topic);
    const { reply } = await this.#commands.run(VERSIONS, slot, presenceKeys(prefix), [
      prefix,
      this.#newEpoch(),
      topic,
    ]);
    const [epoch, offset] = reply as readonly Reply[];
    if (watched.isBehind({ epoch: String(epoch), offset: Number(offset) })) watched.report(null);
  }

  #channelOf(topic: string): string {
    return `${this.#partitions.of(topic).prefix}w:${topic}`;
  }
}

class WatchedTopic implements ChannelHandler {
  readonly listeners = new Set<PresenceListener>();
  /** The newest version that was reported or listed. */
  version: Position | null = null;

  isBehind({ epoch, offset }: Position): boolean {
    const { version } = this;
    return version?.epoch !== epoch || version.offset < offset;
  }

  onMessage(payload: Buffer): void {
    const end = payload.indexOf("\n");
    const [epoch = "", offset] = payload.toString("latin1", 0, end).split(" ");
    const change = JSON.parse(payload.toString("utf8", end + 1)) as { joined: Member[]; left: Member[] };
    const version = { epoch, offset: Number(offset) };
    if (this.isBehind(version)) this.version = version;
    for (const listener of this.listeners) listener({ version, ...change });
  }

  onRestored(): void {
    this.report(null);
  }

  report(change: null): void {
    for (const listener of this.listeners) listener(change);
  }
}
