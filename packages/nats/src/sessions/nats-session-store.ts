// Keeps sessions in JetStream, for servers on several machines. Each session is a subject of one stream. Its messages
// are the blocks of the session's record, and a header of each holds the session's state at that point. A write names
// the message that it expects to be the last one, so no other write comes between its check and its change.

import {
  DeliverPolicy,
  DiscardPolicy,
  StorageType,
  jetstream,
  type JetStreamManager,
  type StoredMsg,
} from "@nats-io/jetstream";
import { headers as newHeaders } from "@nats-io/transport-node";
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
import { TIMEOUT } from "../connection/deadline.js";
import { codeOf, STREAM_NOT_FOUND, toEngineError, WRONG_SEQUENCE } from "../connection/failures.js";
import { Link } from "../connection/link.js";
import { Names } from "../connection/names.js";
import { checkOptions, type CheckedOptions, type NatsEngineOptions } from "../options.js";

/** Blocks of changes after which the store replaces them by the whole record. */
const MAX_BLOCKS = 64;
const STATE = "Holdfast-Session";
/** Sessions read per batch while sweeping. */
const SWEEP_SIZE = 100;

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

interface State {
  readonly id: string;
  readonly secretHash: string;
  readonly owner: string | null;
  readonly generation: number;
  readonly deadline: number | null;
  /** For a removed session: the reason, and until when it is remembered. */
  readonly removed: { readonly loss: SessionLoss | null; readonly until: number } | null;
  /** The number of blocks. */
  readonly blocks: number;
}

interface Held {
  readonly state: State;
  readonly sequence: number;
}

class NatsSessionStore implements SessionStore, AsyncDisposable {
  readonly #link: Link;
  readonly #names: Names;
  readonly #options: CheckedOptions;
  #stream: Promise<string> | null = null;

  readonly #release: () => void;

  constructor(options: CheckedOptions, link: Link, release: () => void) {
    this.#options = options;
    this.#names = new Names(options.prefix);
    this.#link = link;
    this.#release = release;
    this.#link.onRestored(() => (this.#stream = null));
  }

  async claim(id: string, { secretHash, owner }: SessionProof, wallNow: number): Promise<Claim> {
    for (;;) {
      const held = await this.#last(id);
      if (held?.state.secretHash !== secretHash) return lost("unknown");
      const { state } = held;
      if (state.owner !== owner) return lost("forbidden");
      if (state.removed !== null)
        return lost(state.removed.until > wallNow ? (state.removed.loss ?? "unknown") : "unknown");
      if (state.deadline !== null && state.deadline <= wallNow) return lost("expired");
      const generation = state.generation + 1;
      if (!(await this.#write({ ...state, generation }, held.sequence, EMPTY, false))) continue;
      try {
        return { type: "claimed", record: { ...decodeSessionRecord(await this.#blocks(id)), generation } };
      } catch (error) {
        if (error instanceof HoldfastError && error.code !== "ERR_HOLDFAST_ENGINE_UNAVAILABLE")
          return { type: "lost", reason: "store", error };
        throw error;
      }
    }
  }

  async save(record: SessionRecord): Promise<void> {
    const { id, secretHash, owner, generation, deadline } = record;
    const state = { id, secretHash, owner, generation, deadline, removed: null, blocks: 1 };
    const block = encodeSessionRecord(record);
    for (;;) {
      const held = await this.#last(id);
      const known = held?.state.generation ?? -1;
      // Only a newer generation may recreate a removed session.
      if (known > generation || (held !== null && held.state.removed !== null && known === generation))
        throw fenced(id);
      if (await this.#write(state, held?.sequence ?? 0, block, true)) return;
    }
  }

  async append(id: string, generation: number, changes: readonly SessionChange[]): Promise<void> {
    const block = encodeSessionChanges(changes);
    const last = changes.filter((change) => change.type === "deadline").at(-1);
    for (;;) {
      const held = await this.#last(id);
      if (held?.state.removed !== null || held.state.generation > generation) throw fenced(id);
      const deadline = last === undefined ? held.state.deadline : last.deadline;
      const state = { ...held.state, deadline, blocks: held.state.blocks + 1 };
      if (!(await this.#write(state, held.sequence, block, false))) continue;
      if (state.blocks > MAX_BLOCKS) await this.#compact(id, generation);
      return;
    }
  }

  async remove(id: string, generation: number, loss: SessionLoss | null, until: number): Promise<void> {
    for (;;) {
      const held = await this.#last(id);
      if (held?.state.removed !== null) return;
      if (held.state.generation > generation) throw fenced(id);
      const state = { ...held.state, removed: { loss, until }, blocks: 0 };
      if (await this.#write(state, held.sequence, EMPTY, true)) return;
    }
  }

  async sweep(wallNow: number): Promise<number> {
    return this.#run(async (stream) => {
      const js = jetstream(this.#link.connection, { timeout: TIMEOUT });
      // The state of each session: the headers of its last message.
      const consumer = await js.consumers.get(stream, {
        deliver_policy: DeliverPolicy.LastPerSubject,
        headers_only: true,
      });
      const ended: { subject: string; seq: number }[] = [];
      for (let left = (await consumer.info()).num_pending; left > 0;) {
        const batch = await consumer.fetch({ max_messages: Math.min(left, SWEEP_SIZE), expires: 1_000 });
        let count = 0;
        for await (const { subject, seq, headers } of batch) {
          count++;
          const state = decodeState(headers?.get(STATE));
          const end = state?.removed?.until ?? state?.deadline ?? null;
          if (end !== null && end <= wallNow) ended.push({ subject, seq });
        }
        left = count === 0 ? 0 : left - count;
      }
      await consumer.delete();
      const manager = await js.jetstreamManager(false);
      for (const { subject, seq } of ended)
        await manager.streams.purge(stream, { filter: subject, seq: seq + 1 });
      return ended.length;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#release();
    return Promise.resolve();
  }

  /**
   * Calls for one session do not overlap, so nothing is appended meanwhile. If another process claims it, the save
   * fails.
   */
  async #compact(id: string, generation: number): Promise<void> {
    const record = decodeSessionRecord(await this.#blocks(id));
    await this.save({ ...record, generation });
  }

  async #last(id: string): Promise<Held | null> {
    const subject = this.#names.session(id);
    const stored = await this.#run(async (stream, manager) => {
      return manager.direct.getMessage(stream, { last_by_subj: subject });
    });
    const state = stored === null ? null : decodeState(stored.header.get(STATE));
    return stored === null || state === null ? null : { state, sequence: stored.seq };
  }

  async #blocks(id: string): Promise<Uint8Array> {
    const subject = this.#names.session(id);
    const blocks: Uint8Array[] = [];
    for (let seq = 1; ;) {
      const next = seq;
      const stored: StoredMsg | null = await this.#run((stream, manager) =>
        manager.direct.getMessage(stream, { seq: next, next_by_subj: subject }),
      );
      if (stored === null) return new Uint8Array(Buffer.concat(blocks));
      blocks.push(stored.data);
      seq = stored.seq + 1;
    }
  }

  /** Returns false if another message is the last one. */
  async #write(state: State, sequence: number, block: Uint8Array, replaces: boolean): Promise<boolean> {
    const subject = this.#names.session(state.id);
    const headers = newHeaders();
    headers.set(STATE, Buffer.from(JSON.stringify(state)).toString("base64"));
    headers.set("Nats-Expected-Last-Subject-Sequence", String(sequence));
    if (replaces) headers.set("Nats-Rollup", "sub");
    try {
      await this.#run(async () => {
        const js = jetstream(this.#link.connection, { timeout: TIMEOUT });
        await js.publish(subject, block, { headers, retries: 1 });
      }, false);
      return true;
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      if (codeOf(cause) === WRONG_SEQUENCE) return false;
      throw error;
    }
  }

  async #run<Result>(
    act: (stream: string, manager: JetStreamManager) => Promise<Result>,
    isRepeatable = true,
  ): Promise<Result> {
    try {
      return await this.#link.jetStream(
        async (manager) => {
          try {
            this.#stream ??= this.#ensure(manager);
            return await act(await this.#stream, manager);
          } catch (error) {
            if (codeOf(error) !== WRONG_SEQUENCE) this.#stream = null;
            throw error;
          }
        },
        undefined,
        isRepeatable,
      );
    } catch (error) {
      throw toEngineError(error);
    }
  }

  async #ensure(manager: JetStreamManager): Promise<string> {
    const name = this.#names.bucket("sessions");
    try {
      await manager.streams.info(name);
    } catch (error) {
      if (codeOf(error) !== STREAM_NOT_FOUND) throw error;
      await manager.streams.add({
        name,
        subjects: [this.#names.anySession],
        discard: DiscardPolicy.New,
        storage: this.#options.storage === "file" ? StorageType.File : StorageType.Memory,
        num_replicas: this.#options.replicas,
        allow_direct: true,
        allow_rollup_hdrs: true,
      });
    }
    return name;
  }
}

const EMPTY = new Uint8Array(0);

function decodeState(text: string | undefined): State | null {
  if (text === undefined || text === "") return null;
  return JSON.parse(Buffer.from(text, "base64").toString()) as State; // Only `#write` writes it.
}

function lost(reason: SessionLoss): Claim {
  return { type: "lost", reason, error: null };
}

function fenced(id: string): SessionFencedError {
  return new SessionFencedError(
    `Session ${id} is held by another process, or was removed. Close its connection: its client has moved on.`,
  );
}
