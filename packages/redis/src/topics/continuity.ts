// Decides whether epochs continue after a master was replaced or a slot of a cluster has moved. They continue only if
// Redis itself proves that no write is missing. In doubt they end, and subscribers get a gap. A promoted replica names
// the sequence of writes that it continues, and the place up to which. It has everything if the former master has
// become a replica and continues the same sequence from a place that is no later. That is so after the commands
// FAILOVER and CLUSTER FAILOVER; after a crash, nobody can know. A slot's keys move one by one, and none is lost if
// both nodes were masters all the time. The old node has to prove that it still is a master, has lost nothing since it
// assigned offsets, and has handed over the keys.

import type { Address, Argument, RedisConnection } from "../client/connection.js";
import type { Commands, RunReply } from "../routing/commands.js";
import { before, deadlineFromNow, sleep } from "../routing/deadline.js";
import { noReply } from "../routing/failures.js";
import { runningTime } from "../routing/running-time.js";
import type { Script } from "../routing/script.js";
import { redirectionOf } from "../routing/slot-map.js";
import { NO_REPLICATION, readInfo, type NodeInfo } from "./node-info.js";

/** Milliseconds that the old master may take to become a replica. */
const MAX_WAIT = 1_000;
const RETRY_DELAY = 50;
/**
 * Milliseconds since the old node last served the slot: too few for a third node to have served it and failed
 * meanwhile.
 */
const MAX_AGE = 6_000;

/** No process is noted as the one that assigned the offsets. */
const NO_RUN = "-";

/** The master that assigned the offsets, by its replication id and its process, and the one that has the keys now. */
interface Change {
  readonly from: string;
  readonly run: string;
  readonly to: string;
}

interface Node extends NodeInfo {
  readonly address: Address | null;
  readonly connection: RedisConnection;
}

export class Continuity {
  readonly #commands: Commands;
  readonly #newEpoch: () => string;
  /** When each replication id was first seen on a master, in `performance.now()`. */
  readonly #seenAt = new Map<string, number>();
  readonly #deciding = new Map<string, Promise<boolean>>();
  /** Whether a promoted replica has everything, by the two replication ids. */
  readonly #decided = new Map<string, boolean>();

  constructor(commands: Commands, newEpoch: () => string) {
    this.#commands = commands;
    this.#newEpoch = newEpoch;
  }

  /** Runs a script of topics. @throws EngineUnavailableError */
  async run(
    script: Script,
    slot: number,
    keys: readonly Argument[],
    args: readonly Argument[],
    deadline: number = deadlineFromNow(),
  ): Promise<RunReply> {
    let decisions = "";
    for (;;) {
      try {
        const candidate = `${this.#newEpoch()}${decisions} ?`;
        return await this.#commands.run(script, slot, keys, [candidate, ...args], deadline);
      } catch (error) {
        const change = changeOf(error);
        if (change === null) throw error;
        const goesOn = await this.#decide(change, slot, keys[0] ?? "", deadline);
        decisions += ` ${change.from}${goesOn ? ">" : "!"}${change.to}`;
      }
    }
  }

  /** Checks the nodes now, to know later that they have been masters since. */
  async observe(): Promise<void> {
    if (this.#commands.isCluster) await this.#nodes(deadlineFromNow());
  }

  #decide(change: Change, slot: number, key: Argument, deadline: number): Promise<boolean> {
    const name = `${slot} ${change.from} ${change.to}`;
    let decision = this.#deciding.get(name);
    if (decision === undefined) {
      decision = this.#prove(change, slot, key, deadline)
        .catch(() => false) // A node that does not answer proves nothing.
        .finally(() => this.#deciding.delete(name));
      this.#deciding.set(name, decision);
    }
    return decision;
  }

  async #prove(change: Change, slot: number, key: Argument, deadline: number): Promise<boolean> {
    const { from, to } = change;
    const decided = this.#decided.get(`${from} ${to}`);
    if (decided !== undefined) return decided;
    const until = Math.min(deadlineFromNow(MAX_WAIT), deadline - 2 * RETRY_DELAY);
    const nodes = await this.#nodes(until);
    const target = nodes.find(({ isMaster, replication }) => isMaster && replication === to);
    if (target === undefined) return false;
    if (target.earlier !== from) return this.#wasMoved(change, slot, key, nodes, target, until);
    const isComplete = await this.#isComplete(change, target, until);
    this.#decided.set(`${from} ${to}`, isComplete);
    return isComplete;
  }

  /** Whether the promoted replica has everything that its master ever wrote. */
  async #isComplete({ from, run, to }: Change, promoted: Node, until: number): Promise<boolean> {
    while (run !== NO_RUN && runningTime() < until) {
      const { replicas } = await readInfo(promoted.connection);
      for (const address of replicas) {
        const replica = await this.#infoOf(address, until);
        // While it synchronises, it reports the old id or none.
        if (replica?.run !== run || replica.isMaster || replica.replication !== to) continue;
        return replica.earlier === from && replica.earlierEnd <= promoted.earlierEnd;
      }
      await sleep(RETRY_DELAY);
    }
    return false;
  }

  async #wasMoved(
    { from, run }: Change,
    slot: number,
    key: Argument,
    nodes: readonly Node[],
    target: Node,
    until: number,
  ): Promise<boolean> {
    const served = this.#commands.servedBy(slot);
    const source = nodes.find(
      ({ address, isMaster, replication }) =>
        isMaster &&
        replication === from &&
        address?.host === served?.address?.host &&
        address?.port === served?.address?.port,
    );
    if (served === undefined || source?.run !== run) return false;
    const age = performance.now() - served.at;
    if (age > MAX_AGE) return false;
    const wasSeen = (this.#seenAt.get(target.replication) ?? Infinity) < served.at;
    const hasStartedEarlier = target.earlier === NO_REPLICATION && target.uptime > age + 1_000;
    if (!wasSeen && !hasStartedEarlier) return false;
    return before(until, hasGivenAway(source.connection, key), () => noReply(null));
  }

  async #nodes(until: number): Promise<readonly Node[]> {
    const nodes = await Promise.all(
      this.#commands.nodes.map(async ({ address, connection }) => {
        const now = performance.now();
        const info = await before(until, readInfo(connection), () => noReply(null)).catch(() => null);
        if (info === null) return [];
        if (info.isMaster && !this.#seenAt.has(info.replication)) this.#seenAt.set(info.replication, now);
        return [{ ...info, address, connection }];
      }),
    );
    return nodes.flat();
  }

  async #infoOf(address: Address, until: number): Promise<NodeInfo | null> {
    try {
      const connection = await this.#commands.connectTo(address, until);
      return await before(until, readInfo(connection), () => noReply(null));
    } catch {
      return null;
    }
  }
}

async function hasGivenAway(source: RedisConnection, key: Argument): Promise<boolean> {
  try {
    await source.send(["EXISTS", key]);
    return false;
  } catch (error) {
    return error instanceof Error && redirectionOf(error.message) !== null;
  }
}

function changeOf(error: unknown): Change | null {
  const cause = error instanceof Error ? error.cause : null;
  const [word, from = "", run = "", to = ""] = cause instanceof Error ? cause.message.split(" ") : [];
  return word === "UNPROVEN" ? { from, run, to } : null;
}
