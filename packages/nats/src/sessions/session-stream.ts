// The stream of sessions. Each session is a subject of it. Its messages are the blocks of the session's record, and a
// header of each holds the session's state at that point. A write names the message that it expects to be the last one,
// so no other write comes between its check and its change. A record that does not fit into one message is written in
// parts. Readers skip them until the message after them, whose state names them.

import {
  DeliverPolicy,
  DiscardPolicy,
  StorageType,
  jetstream,
  type JetStreamManager,
  type StoredMsg,
} from "@nats-io/jetstream";
import { headers as newHeaders } from "@nats-io/transport-node";
import type { SessionLoss } from "holdfast";
import { CLIENT_TIMEOUT } from "../connection/deadline.js";
import {
  codeOf,
  sizeLimit,
  STREAM_NOT_FOUND,
  tooBig,
  toEngineError,
  WRONG_SEQUENCE,
} from "../connection/failures.js";
import { readFromLeader } from "../connection/leader.js";
import type { Link } from "../connection/link.js";
import { Names } from "../connection/names.js";
import type { CheckedOptions } from "../options.js";

const STATE = "Holdfast-Session";
/** Marks a part of a record. Its state is the one before that record. */
const PART = "Holdfast-Part";
/** Milliseconds after which a sweep takes a record whose parts are incomplete for abandoned. */
const PART_LIFE = 600_000;
/** Sessions read per batch while sweeping. */
const SWEEP_SIZE = 100;

export const EMPTY = new Uint8Array(0);

export interface SessionState {
  readonly id: string;
  readonly secretHash: string;
  readonly owner: string | null;
  readonly generation: number;
  readonly deadline: number | null;
  /** For a removed session: the reason, and until when it is remembered. */
  readonly removed: { readonly loss: SessionLoss | null; readonly until: number } | null;
  /** The number of blocks. */
  readonly blocks: number;
  /** The sequence of the record's first part, and the number of parts; both 0 for a record in one message. */
  readonly start: number;
  readonly parts: number;
}

export interface HeldSession {
  readonly state: SessionState;
  readonly sequence: number;
}

export class SessionStream {
  readonly #link: Link;
  readonly #names: Names;
  readonly #options: CheckedOptions;
  /** The name of the stream, once it is known to exist. */
  #stream: Promise<string> | null = null;

  constructor(options: CheckedOptions, link: Link) {
    this.#options = options;
    this.#names = new Names(options.prefix);
    this.#link = link;
    link.onRestored(() => (this.#stream = null));
  }

  /** The newest state of a session; null if there is none. */
  async last(id: string): Promise<HeldSession | null> {
    const subject = this.#names.session(id);
    const stored = await this.#run((stream, manager) =>
      readFromLeader(manager, stream, { last_by_subj: subject }),
    );
    const state = stored === null ? null : decodeState(stored.header.get(STATE));
    return stored === null || state === null ? null : { state, sequence: stored.seq };
  }

  /** The blocks of a session's record, joined. */
  async blocks({ id, start, parts }: SessionState): Promise<Uint8Array> {
    const subject = this.#names.session(id);
    const blocks: Uint8Array[] = [];
    for (let seq = Math.max(1, start), position = 0; ; position++) {
      const next = seq;
      const stored: StoredMsg | null = await this.#run((stream, manager) =>
        readFromLeader(manager, stream, { seq: next, next_by_subj: subject }),
      );
      if (stored === null) return new Uint8Array(Buffer.concat(blocks));
      if (position < parts || !stored.header.has(PART)) blocks.push(stored.data);
      seq = stored.seq + 1;
    }
  }

  /**
   * Returns false if another message is the last one.
   * @throws MessageTooBigError, EngineUnavailableError
   */
  async append(state: SessionState, { sequence }: HeldSession, block: Uint8Array): Promise<boolean> {
    return (await this.#write(state, sequence, block)) !== null;
  }

  /**
   * Replaces the record. Returns false if another message is the last one.
   * @throws MessageTooBigError, EngineUnavailableError
   */
  async replace(state: SessionState, held: HeldSession | null, block: Uint8Array): Promise<boolean> {
    let sequence = held?.sequence ?? 0;
    const previous = held?.state ?? { ...state, generation: -1, removed: { loss: null, until: 0 } };
    const header = Math.max(encodeState(state).length, encodeState(previous).length);
    const size = Math.max(1, sizeLimit(this.#link.maxPayload, header));
    if (block.length <= size)
      return (await this.#write(state, sequence, block, ["Nats-Rollup", "sub"])) !== null;
    let start = 0;
    const parts = Math.ceil(block.length / size);
    for (let part = 0; part < parts; part++) {
      const bytes = block.subarray(part * size, (part + 1) * size);
      const written = await this.#write(previous, sequence, bytes, [PART, "1"]);
      if (written === null) return false;
      sequence = written;
      if (part === 0) start = sequence;
    }
    if ((await this.#write({ ...state, start, parts }, sequence, EMPTY)) === null) return false;
    if (held === null) return true; // For NATS, a purge of what is before the first sequence is one of everything.
    const filter = this.#names.session(state.id);
    // If it fails, readers skip what is older, and the next replacement removes it.
    await this.#run((stream, manager) => manager.streams.purge(stream, { filter, seq: start })).catch(
      () => {},
    );
    return true;
  }

  /** Returns the sequence of the message; null if another one is the last one. */
  async #write(
    state: SessionState,
    sequence: number,
    block: Uint8Array,
    mark?: readonly [name: string, value: string],
  ): Promise<number | null> {
    const subject = this.#names.session(state.id);
    const header = encodeState(state);
    const problem = tooBig("changes of a session", block.length, this.#link.maxPayload, header.length);
    if (problem !== null) throw problem;
    const headers = newHeaders();
    headers.set(STATE, header);
    headers.set("Nats-Expected-Last-Subject-Sequence", String(sequence));
    if (mark !== undefined) headers.set(...mark);
    try {
      return await this.#run(async () => {
        const js = jetstream(this.#link.connection, { timeout: CLIENT_TIMEOUT });
        return (await js.publish(subject, block, { headers, retries: 1 })).seq;
      }, false);
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      if (codeOf(cause) === WRONG_SEQUENCE) return null;
      throw error;
    }
  }

  /** Forgets ended sessions. Returns their number. */
  async sweep(wallNow: number): Promise<number> {
    return this.#run(async (stream) => {
      const js = jetstream(this.#link.connection, { timeout: CLIENT_TIMEOUT });
      // The state of each session: the headers of its last message.
      const consumer = await js.consumers.get(stream, {
        deliver_policy: DeliverPolicy.LastPerSubject,
        headers_only: true,
      });
      const ended: { subject: string; seq: number }[] = [];
      for (let left = (await consumer.info()).num_pending; left > 0;) {
        const batch = await consumer.fetch({ max_messages: Math.min(left, SWEEP_SIZE), expires: 1_000 });
        let count = 0;
        for await (const { subject, seq, headers, time } of batch) {
          count++;
          if (headers?.has(PART) === true && Date.now() - time.getTime() < PART_LIFE) continue;
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
        allow_rollup_hdrs: true,
      });
    }
    return name;
  }
}

function encodeState(state: SessionState): string {
  return Buffer.from(JSON.stringify(state)).toString("base64");
}

function decodeState(text: string | undefined): SessionState | null {
  if (text === undefined || text === "") return null;
  return JSON.parse(Buffer.from(text, "base64").toString()) as SessionState; // Only `#write()` writes it.
}
