// Keeps sessions in Redis, for servers on several machines.

import {
  decodeSessionRecord,
  encodeSessionChanges,
  encodeSessionRecord,
  HoldfastError,
  SessionFencedError,
  type Claim,
  type SessionChange,
  type SessionLoss,
  type SessionProof,
  type SessionRecord,
  type SessionStore,
} from "holdfast";
import type { Argument, Reply } from "../client/connection.js";
import { connectorOf, type RedisClient } from "../client/connector.js";
import { checkNames, checkPrefix } from "../options.js";
import { Commands } from "../routing/commands.js";
import { Partitions } from "../routing/partitions.js";
import type { Script } from "../routing/script.js";
import { APPEND, BLOCKS, CLAIM, REMOVE, SAVE, SWEEP } from "../scripts/sessions.js";

/** Options of `redisSessionStore()`. */
export interface RedisSessionStoreOptions {
  /** A client of ioredis or redis, whose options the store's own connection uses. */
  readonly client: RedisClient;
  /** The prefix of all keys. It must not contain braces. @default "holdfast:" */
  readonly prefix?: string | undefined;
}

const NAMES = ["client", "prefix"] as const satisfies readonly (keyof RedisSessionStoreOptions)[];
/** Blocks of changes after which the store replaces them by the whole record. */
const MAX_BLOCKS = 256;
/** Sessions that one call of `SWEEP` forgets. */
const SWEEP_SIZE = 100;

/**
 * Keeps sessions in Redis 7.0 or later, so that any server of a fleet can resume them. A write is as durable as Redis is:
 * with its default configuration, it may lose the last seconds in a crash or a failover, and the generations with them.
 * Clients then learn that their session is lost, or that the positions do not agree.
 *
 * @throws InvalidArgumentError
 */
export function redisSessionStore(options: RedisSessionStoreOptions): SessionStore & AsyncDisposable {
  return new RedisSessionStore(options);
}

class RedisSessionStore implements SessionStore, AsyncDisposable {
  readonly #commands: Commands;
  readonly #partitions: Partitions;

  constructor(options: RedisSessionStoreOptions) {
    checkNames("redisSessionStore()", options, NAMES);
    const { client, prefix } = options;
    this.#partitions = new Partitions(checkPrefix(prefix));
    this.#commands = new Commands(connectorOf(client));
  }

  async claim(id: string, proof: SessionProof, wallNow: number): Promise<Claim> {
    const { secretHash, owner } = proof;
    const reply = await this.#run(CLAIM, id, [secretHash, JSON.stringify(owner), String(wallNow)]);
    if (!Array.isArray(reply)) {
      // Only our scripts write it.
      return { type: "lost", reason: String(reply) as SessionLoss, error: null };
    }
    const [generation, blocks] = reply as [number, readonly Buffer[]];
    try {
      return { type: "claimed", record: { ...decodeSessionRecord(Buffer.concat(blocks)), generation } };
    } catch (error) {
      if (error instanceof HoldfastError) return { type: "lost", reason: "store", error };
      throw error;
    }
  }

  async save(record: SessionRecord): Promise<void> {
    const { id, secretHash, owner, generation, deadline } = record;
    const args = [secretHash, JSON.stringify(owner), String(generation), textOf(deadline), encode(record)];
    if ((await this.#run(SAVE, id, args)) !== 1) throw fenced(id);
  }

  async append(id: string, generation: number, changes: readonly SessionChange[]): Promise<void> {
    const deadlines = changes.filter((change) => change.type === "deadline");
    const block = bytesOf(encodeSessionChanges(changes));
    const args = [
      String(generation),
      block,
      deadlines.length > 0 ? "1" : "0",
      textOf(deadlines.at(-1)?.deadline ?? null),
    ];
    const blocks = await this.#run(APPEND, id, args);
    if (!(Number(blocks) > 0)) throw refusal(id, blocks);
    if (Number(blocks) > MAX_BLOCKS) await this.#compact(id, generation);
  }

  async remove(id: string, generation: number, loss: SessionLoss | null, until: number): Promise<void> {
    const reply = await this.#run(REMOVE, id, [String(generation), loss ?? "", String(until)]);
    if (reply !== 1) throw fenced(id);
  }

  async sweep(wallNow: number): Promise<number> {
    const swept = await Promise.all(
      this.#partitions.all.map(async ({ prefix, slot }) => {
        for (let count = 0; ;) {
          const { reply } = await this.#commands.run(SWEEP, slot, [`${prefix}x`], [prefix, String(wallNow)]);
          count += Number(reply);
          if (Number(reply) < SWEEP_SIZE) return count;
        }
      }),
    );
    return swept.reduce((sum, count) => sum + count, 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#commands.close();
    return Promise.resolve();
  }

  /**
   * Calls for one session do not overlap, so nothing is appended meanwhile. If another process claims it, the save
   * fails.
   */
  async #compact(id: string, generation: number): Promise<void> {
    const blocks = await this.#run(BLOCKS, id, [String(generation)]);
    if (!Array.isArray(blocks)) throw refusal(id, blocks);
    const record = decodeSessionRecord(Buffer.concat(blocks as readonly Buffer[]));
    await this.save({ ...record, generation });
  }

  async #run(script: Script, id: string, args: readonly Argument[]): Promise<Reply> {
    const { prefix, slot } = this.#partitions.of(id);
    const keys = [`${prefix}x:${id}`, `${prefix}b:${id}`, `${prefix}x`];
    const { reply } = await this.#commands.run(script, slot, keys, [id, ...args]);
    return reply;
  }
}

function encode(record: SessionRecord): Buffer {
  return bytesOf(encodeSessionRecord(record));
}

function bytesOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function textOf(deadline: number | null): string {
  return deadline === null ? "" : String(deadline);
}

/** `reply` is what `holds` in the scripts returned. */
function refusal(id: string, reply: Reply): HoldfastError {
  return reply === 0 ? fenced(id) : notStored(id);
}

function fenced(id: string): SessionFencedError {
  return new SessionFencedError(
    `Session ${id} is held by another process, or was removed. Close its connection: its client has moved on.`,
  );
}

function notStored(id: string): HoldfastError {
  return new HoldfastError(
    `Session ${id} is not in the store: it has expired there, or the store has lost it. Its process saves it again.`,
  );
}
