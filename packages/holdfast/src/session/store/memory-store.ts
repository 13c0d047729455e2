// Keeps sessions in the memory of the process: the default. It also serves several servers in one process, and tests.

import { HoldfastError } from "../../shared/errors.js";
import { SessionFencedError, type SessionLoss } from "../../shared/session-errors.js";
import { judgeProof } from "../judge-proof.js";
import type { SessionProof } from "../server-session.js";
import { applyChanges, type SessionChange, type SessionRecord } from "./session-record.js";
import type { Claim, SessionStore } from "./session-store.js";

/** Keeps sessions in memory: they survive the server, but not the process. */
export function memoryStore(): SessionStore {
  return new MemoryStore();
}

type Entry =
  | { readonly type: "held"; readonly record: SessionRecord }
  | {
      readonly type: "removed";
      readonly record: SessionRecord;
      readonly loss: SessionLoss | null;
      readonly until: number;
    };

/** Async functions, so that errors are rejections as in every other store. */
class MemoryStore implements SessionStore {
  readonly #entries = new Map<string, Entry>();

  // eslint-disable-next-line @typescript-eslint/require-await
  async claim(id: string, proof: SessionProof, wallNow: number): Promise<Claim> {
    const entry = this.#entries.get(id);
    const refusal = judgeProof(entry?.record ?? null, proof);
    if (entry === undefined || refusal !== null) return lost(refusal ?? "unknown");
    if (entry.type === "removed") return lost(entry.until <= wallNow ? "unknown" : (entry.loss ?? "unknown"));
    if ((entry.record.deadline ?? Infinity) <= wallNow) return lost("expired");
    const record = { ...entry.record, generation: entry.record.generation + 1 };
    this.#entries.set(id, { type: "held", record });
    return { type: "claimed", record };
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async save(record: SessionRecord): Promise<void> {
    const entry = this.#entries.get(record.id);
    const isRevived = entry?.type === "removed" && record.generation > entry.record.generation;
    if (entry !== undefined && !isRevived) this.#heldBy(record.id, record.generation);
    this.#entries.set(record.id, { type: "held", record });
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async append(id: string, generation: number, changes: readonly SessionChange[]): Promise<void> {
    const held = this.#entries.get(id)?.record;
    if (held === undefined || held.generation < generation) throw notStored(id);
    const record = applyChanges(this.#heldBy(id, generation), changes);
    this.#entries.set(id, { type: "held", record });
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async remove(id: string, generation: number, loss: SessionLoss | null, until: number): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry?.type !== "held") return;
    const record = forgetMessages(this.#heldBy(id, generation));
    this.#entries.set(id, { type: "removed", record, loss, until });
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async sweep(wallNow: number): Promise<number> {
    let swept = 0;
    for (const [id, entry] of this.#entries) {
      const end = entry.type === "held" ? entry.record.deadline : entry.until;
      if (end === null || end > wallNow) continue;
      this.#entries.delete(id);
      swept++;
    }
    return swept;
  }

  #heldBy(id: string, generation: number): SessionRecord {
    const entry = this.#entries.get(id);
    if (entry?.type !== "held" || entry.record.generation > generation) throw fenced(id);
    return entry.record;
  }
}

/** The error of a write by a process that does not hold the session any more. */
export function fenced(id: string): SessionFencedError {
  return new SessionFencedError(
    `Session ${id} is held by another process, or was removed. Close its connection: its client has moved on.`,
  );
}

/** The error of a change to a session that the store does not have. */
export function notStored(id: string): HoldfastError {
  return new HoldfastError(
    `Session ${id} is not in the store: it has expired there, or the store has lost it. Its process saves it again.`,
  );
}

/** A removed session: only its identity is needed, so that its client learns the reason. */
export function forgetMessages(record: SessionRecord): SessionRecord {
  return { ...record, outgoing: { ...record.outgoing, kept: [] }, inbox: [] };
}

function lost(reason: SessionLoss): Claim {
  return { type: "lost", reason, error: null };
}
