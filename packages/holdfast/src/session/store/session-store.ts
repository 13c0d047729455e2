// The port to a store of sessions, which outlives processes. Implementations: memory, files, Redis.

import type { HoldfastError } from "../../shared/errors.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import type { SessionProof } from "../server-session.js";
import type { SessionChange, SessionRecord } from "./session-record.js";

/** The result of `claim`. */
export type Claim =
  /** The caller holds the session from now on, with the generation in the record. */
  | { readonly type: "claimed"; readonly record: SessionRecord }
  /**
   * There is no session to resume. `unknown`: no such id, or another secret. `forbidden`: another owner. `expired`: its
   * deadline has passed. `store`: the record is damaged or cannot be read; `error` says why. Otherwise the reason with
   * which it was removed.
   */
  | { readonly type: "lost"; readonly reason: SessionLoss; readonly error: HoldfastError | null };

/**
 * Keeps sessions. At any time one process holds a session: the one with the newest generation. Every write carries the
 * writer's generation.
 *
 * Each method rejects with a HoldfastError if the store fails, and each write with SessionFencedError if another process
 * has claimed the session, or if it was removed. A call that has not settled after 10 seconds counts as failed. A write
 * that fails with any other error is followed by a `save` of the whole record, with the same generation: the store may
 * have been emptied.
 */
export interface SessionStore {
  /**
   * Takes a session over: checks the proof, increments the generation and returns the record, atomically. Of two
   * concurrent claims, each gets another generation, and the older one is fenced off. A claim that is lost changes
   * nothing. `wallNow` is in epoch milliseconds.
   *
   * Damaged records are reported as lost (`store`).
   * @throws EngineUnavailableError if the store is down: the client is refused with 1013, and tries again; after any other
   *   error, the session is lost (`store`)
   */
  claim(id: string, proof: SessionProof, wallNow: number): Promise<Claim>;

  /**
   * Writes a whole record, in place of what was logged. Creates it if the store has none with this id, or has removed it
   * with an older generation. Durable once the promise resolves.
   * @throws SessionFencedError if the stored generation is newer, or was removed
   */
  save(record: SessionRecord): Promise<void>;

  /**
   * Logs changes to a saved record: one call for all that changed in a turn. Durable once the promise resolves. Calls for
   * one session must not overlap.
   * @throws SessionFencedError if the stored generation is newer, or was removed
   * @throws HoldfastError if the store has no session with this id, or an older generation of it
   */
  append(id: string, generation: number, changes: readonly SessionChange[]): Promise<void>;

  /**
   * Removes a session. If it was lost, later claims get the reason until `until` (epoch milliseconds); otherwise
   * `unknown`. Does nothing if there is none.
   * @throws SessionFencedError if the stored generation is newer
   */
  remove(id: string, generation: number, loss: SessionLoss | null, until: number): Promise<void>;

  /**
   * Forgets sessions whose deadline has passed: a process that holds one is fenced off, so it renews the deadline in time.
   * Returns how many. Called from time to time by every process that has sessions.
   */
  sweep(wallNow: number): Promise<number>;
}
