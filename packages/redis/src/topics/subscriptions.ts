// The channels that this process subscribes to. Pub/sub may lose a subscription silently. So each partition has a
// channel on which the process hears from itself every 2 s; if it does not, the connection is replaced, and the
// handlers of its channels are notified.

import { isErrorReply, type Address, type Connector, type RedisConnection } from "../client/connection.js";
import type { Commands } from "../routing/commands.js";
import { before, deadlineFromNow, sleep } from "../routing/deadline.js";
import { cannotConnect, noConnection, refused } from "../routing/failures.js";
import { NodeConnections } from "../routing/node-connections.js";
import type { Partition } from "../routing/partitions.js";
import { runningTime } from "../routing/running-time.js";
import { redirectionOf } from "../routing/slot-map.js";

/** Its methods return soon, and never throw. */
export interface ChannelHandler {
  onMessage(payload: Buffer): void;
  /** The channel is subscribed again: messages sent meanwhile are lost. */
  onRestored(): void;
}

/** Milliseconds of silence after which a connection is replaced. */
const MAX_SILENCE = 6_000;
/** Milliseconds between two attempts to subscribe, initially and at most. */
const MIN_DELAY = 20;
const MAX_DELAY = 1_000;

interface Channel {
  readonly handler: ChannelHandler;
  isSubscribed: boolean;
  wasSubscribed: boolean;
  readonly waiting: ((error: Error | null) => void)[];
}

interface PartitionChannels {
  readonly partition: Partition;
  readonly channels: Map<string, Channel>;
  connection: RedisConnection | null;
  heardAt: number;
  isSubscribing: boolean;
}

export class Subscriptions {
  readonly #commands: Commands;
  readonly #connections: NodeConnections;
  readonly #partitions = new Map<number, PartitionChannels>();
  readonly #channels = new Map<string, { readonly channel: Channel; readonly state: PartitionChannels }>();
  #isClosed = false;

  constructor(connector: Connector, commands: Commands) {
    this.#commands = commands;
    this.#connections = new NodeConnections(connector, {
      onMessage: (name, payload) => {
        const found = this.#channels.get(name);
        if (found === undefined) return;
        found.state.heardAt = runningTime();
        found.channel.handler.onMessage(payload);
      },
      onClosed: (connection) => this.#onClosed(connection),
    });
  }

  /** The partitions that have a channel. */
  get partitions(): Iterable<Partition> {
    return [...this.#partitions.values()].map(({ partition }) => partition);
  }

  /** The names of channels, without those that only receive signs of life. */
  hasOthers(partition: Partition, own: string): boolean {
    const channels = this.#partitions.get(partition.index)?.channels;
    return channels !== undefined && channels.size > (channels.has(own) ? 1 : 0);
  }

  /**
   * Resolves once the subscription is active: every message sent on this channel from then on arrives. @throws
   * EngineUnavailableError
   */
  subscribe(
    partition: Partition,
    name: string,
    handler: ChannelHandler,
    deadline = deadlineFromNow(),
  ): Promise<void> {
    const state = this.#stateOf(partition);
    const known = state.channels.get(name);
    const channel = known ?? { handler, isSubscribed: false, wasSubscribed: false, waiting: [] };
    state.channels.set(name, channel);
    this.#channels.set(name, { channel, state });
    if (channel.isSubscribed) return Promise.resolve();
    const subscribed = new Promise<void>((resolve, reject) => {
      channel.waiting.push((error) => (error === null ? resolve() : reject(error)));
    });
    void this.#subscribeAll(state);
    return before(deadline, subscribed, () =>
      cannotConnect(this.#connections.failure ?? this.#commands.failure),
    );
  }

  unsubscribe(partition: Partition, name: string): void {
    const state = this.#partitions.get(partition.index);
    const channel = state?.channels.get(name);
    if (state === undefined || channel === undefined) return;
    state.channels.delete(name);
    this.#channels.delete(name);
    if (channel.isSubscribed) void state.connection?.unsubscribe([name]).catch(() => {});
    for (const settle of channel.waiting.splice(0)) settle(null); // Nobody needs it any more.
    this.#forgetUnused(state);
  }

  /** Another node serves the slot now: subscribes there. */
  onMoved(slot: number, address: Address): void {
    const current = this.#connections.opened(address);
    for (const state of this.#partitions.values()) {
      if (state.partition.slot !== slot || state.connection === null || state.connection === current)
        continue;
      state.connection = null;
      markLost(state);
      void this.#subscribeAll(state);
    }
  }

  /** Replaces connections that have been silent for too long. */
  checkSilence(): void {
    const now = runningTime();
    for (const { connection, heardAt } of [...this.#partitions.values()]) {
      if (connection !== null && now - heardAt > MAX_SILENCE) {
        void this.#commands.refreshSlots(); // The partition may have moved to another node.
        this.#connections.drop(connection);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#connections.close();
    this.#partitions.clear();
    this.#channels.clear();
  }

  async #subscribeAll(state: PartitionChannels): Promise<void> {
    if (state.isSubscribing) return;
    state.isSubscribing = true;
    await Promise.resolve(); // Wait for the other channels of this turn.
    for (let failures = 0; !this.#isClosed;) {
      if (missingOf(state).length === 0) break;
      try {
        await this.#subscribeMissing(state);
        failures = 0;
      } catch (error) {
        await this.#onFailure(state, error);
        await sleep(Math.min(MAX_DELAY, MIN_DELAY * 2 ** failures++));
      }
    }
    state.isSubscribing = false;
    this.#forgetUnused(state);
  }

  async #subscribeMissing(state: PartitionChannels): Promise<void> {
    const deadline = deadlineFromNow();
    const address = await this.#commands.addressOf(state.partition.slot, deadline);
    const connection = await this.#connections.get(address, deadline);
    if (state.connection !== connection) {
      // The partition has moved, or its connection was lost: resubscribe all its channels on this connection.
      markLost(state);
      state.connection = connection;
      state.heardAt = runningTime();
    }
    const missing = missingOf(state);
    const names = missing.map(([name]) => name);
    await before(deadline, connection.subscribe(names), () => noConnection(null)).catch((error: unknown) => {
      if (!isErrorReply(error)) this.#connections.drop(connection);
      throw error;
    });
    if (state.connection !== connection || !connection.isOpen) return;
    state.heardAt = runningTime();
    for (const [name, channel] of missing) {
      if (state.channels.get(name) !== channel) {
        // Nobody needs the channel any more, or only a later caller, whose turn is next.
        if (!state.channels.has(name)) void connection.unsubscribe([name]).catch(() => {});
        continue;
      }
      channel.isSubscribed = true;
      for (const settle of channel.waiting.splice(0)) settle(null);
      if (channel.wasSubscribed) channel.handler.onRestored();
      channel.wasSubscribed = true;
    }
  }

  async #onFailure(state: PartitionChannels, error: unknown): Promise<void> {
    await this.#commands.refreshSlots();
    if (!isErrorReply(error) || redirectionOf(error.message) !== null) return;
    // Redis refuses: the waiting callers get the error at once.
    for (const [, { waiting }] of missingOf(state))
      for (const settle of waiting.splice(0)) settle(refused(error));
  }

  #onClosed(connection: RedisConnection): void {
    for (const state of this.#partitions.values()) {
      if (state.connection !== connection) continue;
      state.connection = null;
      markLost(state);
      void this.#subscribeAll(state);
    }
  }

  /** Keeps the state while a subscription is in progress: the next one of the same channel depends on its outcome. */
  #forgetUnused({ partition, channels, isSubscribing }: PartitionChannels): void {
    if (channels.size === 0 && !isSubscribing) this.#partitions.delete(partition.index);
  }

  #stateOf(partition: Partition): PartitionChannels {
    let state = this.#partitions.get(partition.index);
    if (state === undefined) {
      state = { partition, channels: new Map(), connection: null, heardAt: 0, isSubscribing: false };
      this.#partitions.set(partition.index, state);
    }
    return state;
  }
}

function missingOf({ channels }: PartitionChannels): readonly [string, Channel][] {
  return [...channels].filter(([, { isSubscribed }]) => !isSubscribed);
}

function markLost({ channels }: PartitionChannels): void {
  for (const channel of channels.values()) channel.isSubscribed = false;
}
