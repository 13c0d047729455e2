// Keeps sessions in JetStream, for servers on several machines.

import {
  decodeSessionRecord,
  encodeSessionChanges,
  encodeSessionRecord,
  HoldfastError,
  MessageTooBigError,
  SessionFencedError,
  type Claim,
  type SessionChange,
  type SessionLoss,
  type SessionProof,
  type SessionRecord,
  type SessionStore,
} from "holdfast";
import { Link } from "../connection/link.js";
import { checkOptions, type CheckedOptions, type NatsEngineOptions } from "../options.js";
import { EMPTY, SessionStream, type SessionState } from "./session-stream.js";

/** Blocks of changes after which the store replaces them by the whole record. */
const MAX_BLOCKS = 64;

/**
 * Keeps sessions in NATS JetStream (2.9 or later), so that any server of a fleet can resume them. JetStream confirms a
 * write before it is safe on the disk: after a power failure, the last seconds may be missing.
 *
 * @throws InvalidArgumentError
 */
export function natsSessionStore(options: NatsEngineOptions): SessionStore & AsyncDisposable {
  const checked = checkOptions("natsSessionStore", options);
  const link = new Link(checked.connection);
  return new NatsSessionStore(checked, link, () => link.close());
}

/** The store of an engine. It shares the engine's link and ends with it. */
export function engineSessionStore(options: CheckedOptions, link: Link): SessionStore & AsyncDisposable {
  return new NatsSessionStore(options, link, () => undefined);
}

class NatsSessionStore implements SessionStore, AsyncDisposable {
  readonly #stream: SessionStream;
  readonly #release: () => void;

  constructor(options: CheckedOptions, link: Link, release: () => void) {
    this.#stream = new SessionStream(options, link);
    this.#release = release;
  }

  async claim(id: string, { secretHash, owner }: SessionProof, wallNow: number): Promise<Claim> {
    for (;;) {
      const held = await this.#stream.last(id);
      if (held?.state.secretHash !== secretHash) return lost("unknown");
      const { state } = held;
      if (state.owner !== owner) return lost("forbidden");
      if (state.removed !== null)
        return lost(state.removed.until > wallNow ? (state.removed.loss ?? "unknown") : "unknown");
      if (state.deadline !== null && state.deadline <= wallNow) return lost("expired");
      const generation = state.generation + 1;
      if (!(await this.#stream.append({ ...state, generation }, held, EMPTY))) continue;
      try {
        return {
          type: "claimed",
          record: { ...decodeSessionRecord(await this.#stream.blocks(state)), generation },
        };
      } catch (error) {
        if (error instanceof HoldfastError && error.code !== "ERR_HOLDFAST_ENGINE_UNAVAILABLE")
          return { type: "lost", reason: "store", error };
        throw error;
      }
    }
  }

  async save(record: SessionRecord): Promise<void> {
    const { id, secretHash, owner, generation, deadline } = record;
    const state = { id, secretHash, owner, generation, deadline, removed: null, ...ONE_BLOCK };
    const block = encodeSessionRecord(record);
    for (;;) {
      const held = await this.#stream.last(id);
      const known = held?.state.generation ?? -1;
      // Only a newer generation may recreate a removed session.
      if (known > generation || (held !== null && held.state.removed !== null && known === generation))
        throw fenced(id);
      if (await this.#stream.replace(state, held, block)) return;
    }
  }

  async append(id: string, generation: number, changes: readonly SessionChange[]): Promise<void> {
    const block = encodeSessionChanges(changes);
    const last = changes.filter((change) => change.type === "deadline").at(-1);
    for (;;) {
      const held = await this.#stream.last(id);
      if (held === null || held.state.generation < generation) throw notStored(id);
      if (held.state.removed !== null || held.state.generation > generation) throw fenced(id);
      const deadline = last === undefined ? held.state.deadline : last.deadline;
      const state = { ...held.state, deadline, blocks: held.state.blocks + 1 };
      try {
        if (!(await this.#stream.append(state, held, block))) continue;
        if (state.blocks % MAX_BLOCKS === 0) await this.#compact(held.state, generation, EMPTY);
      } catch (error) {
        if (!(error instanceof MessageTooBigError)) throw error;
        await this.#compact(held.state, generation, block); // A whole record may have several messages.
      }
      return;
    }
  }

  async remove(id: string, generation: number, loss: SessionLoss | null, until: number): Promise<void> {
    for (;;) {
      const held = await this.#stream.last(id);
      if (held?.state.removed !== null) return;
      if (held.state.generation > generation) throw fenced(id);
      const state = { ...held.state, removed: { loss, until }, ...ONE_BLOCK };
      if (await this.#stream.replace(state, held, EMPTY)) return;
    }
  }

  sweep(wallNow: number): Promise<number> {
    return this.#stream.sweep(wallNow);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#release();
    return Promise.resolve();
  }

  /**
   * Replaces the blocks and one more by the whole record. Calls for one session do not overlap, so nothing is appended
   * meanwhile. If another process claims it, the save fails.
   */
  async #compact(state: SessionState, generation: number, block: Uint8Array): Promise<void> {
    const blocks = await this.#stream.blocks(state);
    await this.save({ ...decodeSessionRecord(Buffer.concat([blocks, block])), generation });
  }
}

/** The state of a record in one message. */
const ONE_BLOCK = { blocks: 1, start: 0, parts: 0 };

function lost(reason: SessionLoss): Claim {
  return { type: "lost", reason, error: null };
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
