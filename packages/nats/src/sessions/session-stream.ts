// The stream of sessions. Each session is a subject of it. Its messages are the blocks of the session's record, and a
// header of each holds the session's state at that point. A write names the message that it expects to be the last one,
// so no other write comes between its check and its change.

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
import { TIMEOUT } from "../connection/deadline.js";
import { codeOf, STREAM_NOT_FOUND, tooBig, toEngineError, WRONG_SEQUENCE } from "../connection/failures.js";
import type { Link } from "../connection/link.js";
import { Names } from "../connection/names.js";
import type { CheckedOptions } from "../options.js";

const STATE = "Holdfast-Session";
/** Sessions read per batch while sweeping. */
const SWEEP_SIZE = 100;

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
    const stored = await this.#run(async (stream, manager) => {
      return manager.direct.getMessage(stream, { last_by_subj: subject });
    });
    const state = stored === null ? null : decodeState(stored.header.get(STATE));
    return stored === null || state === null ? null : { state, sequence: stored.seq };
  }

  /** The blocks of a session's record, joined. */
  async blocks(id: string): Promise<Uint8Array> {
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

  /**
   * Returns false if another message is the last one.
   * @throws MessageTooBigError, EngineUnavailableError
   */
  async write(state: SessionState, sequence: number, block: Uint8Array, replaces: boolean): Promise<boolean> {
    const subject = this.#names.session(state.id);
    const header = Buffer.from(JSON.stringify(state)).toString("base64");
    const problem = tooBig("changes of a session", block.length, this.#link.maxPayload, header.length);
    if (problem !== null) throw problem;
    const headers = newHeaders();
    headers.set(STATE, header);
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

  /** Forgets ended sessions. Returns their number. */
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

function decodeState(text: string | undefined): SessionState | null {
  if (text === undefined || text === "") return null;
  return JSON.parse(Buffer.from(text, "base64").toString()) as SessionState; // Only `write()` writes it.
}
