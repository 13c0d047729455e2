// Sends commands to the node that serves their slot, within the deadline, and never twice if Redis may have executed
// them.

import {
  isErrorReply,
  type Address,
  type Argument,
  type Connector,
  type RedisConnection,
  type Reply,
} from "../client/connection.js";
import { EngineUnavailableError } from "holdfast/topics";
import { before, deadlineFromNow, sleep } from "./deadline.js";
import { closedEngine, noConnection, noReply, refused } from "./failures.js";
import { NodeConnections } from "./node-connections.js";
import type { Script } from "./script.js";
import { redirectionOf, SlotMap } from "./slot-map.js";

/** Milliseconds until the next attempt at a node that is busy starting, moving or electing. */
const BUSY_DELAY = 50;
const MAX_REDIRECTIONS = 16;

/** Redis executed nothing and will be ready soon: it loads its data, moves a slot, or elects a master. */
const BUSY = /^(LOADING|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|BUSY) /;

export interface RunReply {
  readonly reply: Reply;
  readonly connection: RedisConnection;
}

/** A node that served a slot. */
export interface Served {
  readonly address: Address | null;
  /** In `performance.now()`. */
  readonly at: number;
}

export class Commands {
  /** Whether all keys of a command have to be in one slot. */
  readonly isCluster: boolean;
  readonly #connector: Connector;
  readonly #connections: NodeConnections;
  readonly #slots: SlotMap;
  readonly #servedBy = new Map<number, Served>();
  /** Called when a slot is served by another node. */
  onMoved: (slot: number, address: Address) => void = () => {};
  #isClosed = false;

  constructor(connector: Connector) {
    this.isCluster = connector.isCluster;
    this.#connector = connector;
    this.#connections = new NodeConnections(connector, { onMessage: () => {}, onClosed: () => {} });
    this.#slots = new SlotMap(connector, this.#connections);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The node that serves this slot; null without a cluster. */
  addressOf(slot: number, deadline: number): Promise<Address | null> {
    return this.#slots.addressOf(slot, deadline);
  }

  /** The last node that served this slot, and when; undefined if none did. */
  servedBy(slot: number): Served | undefined {
    return this.#servedBy.get(slot);
  }

  /** All nodes with an open connection. */
  get nodes(): readonly { readonly address: Address | null; readonly connection: RedisConnection }[] {
    return this.#connections.all;
  }

  /** Returns a connection to the node that announces this address, whatever slots it serves. @throws EngineUnavailableError */
  connectTo(address: Address, deadline: number): Promise<RedisConnection> {
    return this.#connections.get(this.#connector.reach(address), deadline);
  }

  /** Why there is no connection to a node; undefined if there is one, or none is known to be missing. */
  get failure(): unknown {
    return this.#connections.failure;
  }

  /** Called when a reply or a lost channel shows that the slots have moved. */
  async refreshSlots(deadline: number = deadlineFromNow()): Promise<void> {
    await this.#slots.refresh(deadline).catch(() => {}); // The next command tries again.
  }

  /** Runs a script whose keys are all in this slot. @throws EngineUnavailableError */
  async run(
    script: Script,
    slot: number,
    keys: readonly Argument[],
    args: readonly Argument[],
    deadline: number = deadlineFromNow(),
  ): Promise<RunReply> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send(slot, ["EVALSHA", script.hash, ...rest], deadline, script.source);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : null;
      if (!(cause instanceof Error && cause.message.startsWith("NOSCRIPT"))) throw error;
      return this.send(slot, ["EVAL", script.source, ...rest], deadline, script.source);
    }
  }

  /** Sends a command whose key is in this slot. @throws EngineUnavailableError */
  async send(
    slot: number,
    args: readonly Argument[],
    deadline: number = deadlineFromNow(),
    source?: string,
  ): Promise<RunReply> {
    let asked: Address | null = null;
    let redirections = 0;
    for (;;) {
      if (this.#isClosed) throw closedEngine();
      const connection = await this.#connectionFor(slot, asked, deadline);
      if (asked !== null) void connection.send(["ASKING"]).catch(() => {});
      try {
        const known = this.#slots.knownAddressOf(slot) ?? null;
        const at = performance.now();
        const reply = await this.#sendOn(connection, args, deadline);
        if (asked === null && this.isCluster) this.#servedBy.set(slot, { address: known, at });
        return { reply, connection };
      } catch (error) {
        if (!isErrorReply(error)) throw error;
        const redirection = redirectionOf(error.message);
        const target = redirection === null ? null : this.#connector.reach(redirection.address);
        const isBusy = BUSY.test(error.message);
        if (error.message.startsWith("READONLY")) this.#connections.drop(connection); // The next connection may reach the master.
        const isFinal = redirection === null ? !isBusy : ++redirections > MAX_REDIRECTIONS;
        if (isFinal) throw refused(error, undefined, source);
        if (deadlineFromNow(BUSY_DELAY) >= deadline) throw refused(error, undefined, source);
        asked = redirection?.isMoved === false ? target : null;
        if (isBusy) await sleep(BUSY_DELAY);
        if (redirection?.isMoved === true && target !== null) {
          this.#slots.set(slot, target);
          this.onMoved(slot, target);
          void this.refreshSlots();
        } else if (isBusy) {
          await this.refreshSlots(deadline);
        }
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#connections.close();
  }

  async #connectionFor(slot: number, asked: Address | null, deadline: number): Promise<RedisConnection> {
    // Synchronous where everything is known, so that commands go out in call order.
    const known = asked ?? this.#slots.knownAddressOf(slot);
    const open = known === undefined ? null : this.#connections.opened(known);
    if (open !== null) return open;
    for (;;) {
      try {
        const address = asked ?? (await this.#slots.addressOf(slot, deadline));
        // The node may have been replaced: look for its successor now and then.
        const patience = address === null ? Infinity : this.#connections.isDoubtful(address) ? 100 : 500;
        const until = Math.min(deadline, deadlineFromNow(patience));
        return await this.#connections.get(address, until);
      } catch (error) {
        if (this.#isClosed) throw closedEngine();
        if (deadlineFromNow(BUSY_DELAY) >= deadline)
          throw error instanceof EngineUnavailableError ? error : noConnection(error);
        await sleep(BUSY_DELAY);
        await this.refreshSlots(deadline);
      }
    }
  }

  async #sendOn(connection: RedisConnection, args: readonly Argument[], deadline: number): Promise<Reply> {
    if (!connection.isOpen) throw noConnection(null);
    try {
      return await before(deadline, connection.send(args), () => noReply(null));
    } catch (error) {
      if (isErrorReply(error)) throw error;
      // The connection hangs or has closed. All other commands on it fail the same way.
      this.#connections.drop(connection);
      throw connection.isUnsent(error) ? noConnection(error) : noReply(error);
    }
  }
}
