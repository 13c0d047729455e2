// Logs the messages of one session to the store, for `durability: "message"`: one write for all that changed in a turn,
// and one write at a time. Then those messages may be sent, or confirmed. If a write fails, they wait: whether it was
// carried out is unknown, so the whole record is written in its place, until the store has it or `patience` has passed.

import type { Clock } from "../../connection/ports.js";
import { ignore } from "../../shared/deferred.js";
import { MessageTooBigError } from "../../shared/errors.js";
import { SessionFencedError } from "../../shared/session-errors.js";
import type { SessionMessageData } from "../../session/session-memory.js";
import type { SessionChange, SessionRecord } from "../../session/store/session-record.js";
import type { MessageLog } from "../../transport/session/message-log.js";
import type { StoreCalls } from "./store-calls.js";

export interface SessionLogHandler {
  /** The session as it is now. */
  record(): SessionRecord;
  /** Our messages up to `sent` are being given to the store, or may be in it; zero for none since `onLogged`. */
  onLogging(sent: number): void;
  /** Our messages up to `sent` are in the store, and the client's up to `settled`. */
  onLogged(sent: number, settled: number): void;
  /** So much waits to be written that reading should pause (true), or may continue (false). */
  onFull(isFull: boolean): void;
  /** A write failed, and is tried again; null once the store has everything. */
  onInterrupted(error: unknown): void;
  /** The store failed for too long, or has given the session to another process. */
  onFailure(error: unknown): void;
}

/** After so many changes, or bytes of messages, the whole record is written in their place. */
const MAX_CHANGES = 4096;
const MAX_BYTES = 1024 * 1024;

/** Bytes of messages that may wait to be written before reading pauses. */
const MAX_WAITING = 1024 * 1024;

/** Milliseconds before a write that failed is tried again: each time twice as long, up to the second one. */
const MIN_DELAY = 100;
const MAX_DELAY = 5_000;

/** Stands for the memory of a change beside its message. */
const CHANGE_OVERHEAD = 64;

export class SessionLog implements MessageLog {
  readonly #id: string;
  readonly #acknowledge: "handled" | "received";
  readonly #store: StoreCalls;
  readonly #clock: Clock;
  /** Milliseconds for which a write that fails is tried again. */
  readonly #patience: number;
  readonly #handler: SessionLogHandler;
  #generation: number;
  #waiting: SessionChange[] = [];
  #waitingBytes = 0;
  #isFull = false;
  #isScheduled = false;
  /** Resolves once the current write has ended; null for none. */
  #writing: Promise<void> | null = null;
  #changes = 0;
  #bytes = 0;
  #sent: number;
  #settled: number;
  /** Our messages up to this position may be in the store, since a write of them failed; zero for none. */
  #inDoubt = 0;
  /** Ends the pause before a write is tried again. */
  #endPause: () => void = ignore;
  #hasEnded = false;

  /** `stored` is what the store has. */
  constructor(
    stored: SessionRecord,
    acknowledge: "handled" | "received",
    store: StoreCalls,
    clock: Clock,
    patience: number,
    handler: SessionLogHandler,
  ) {
    this.#id = stored.id;
    this.#generation = stored.generation;
    this.#acknowledge = acknowledge;
    this.#store = store;
    this.#clock = clock;
    this.#patience = patience;
    this.#handler = handler;
    this.#sent = stored.outgoing.sent;
    this.#settled = stored.incoming.confirmed;
  }

  onSent(position: number, message: SessionMessageData | null): void {
    this.#sent = position;
    this.#add({ type: "sent", position, message }, message?.length ?? 0);
  }

  onConfirmed(position: number): void {
    this.#add({ type: "confirmed", position }, 0);
  }

  onReceived(position: number, message: SessionMessageData): void {
    this.#settled = position;
    this.#add({ type: "received", position, message }, message.length);
  }

  onSkipped(position: number): void {
    this.#settled = position;
    this.#add({ type: "skipped", position }, 0);
  }

  onHandled(position: number): void {
    if (this.#acknowledge === "handled") {
      // The client keeps the messages until then, so that only their positions are logged.
      this.#settled = position;
      this.#add({ type: "skipped", position }, 0);
    }
    this.#add({ type: "handled", position }, 0);
  }

  /** `deadline` is Infinity for none. */
  onDeadline(deadline: number, attempt: number): void {
    this.#add(deadlineChange(deadline, attempt), 0);
  }

  /**
   * Asks the store whether this process still holds the session, by a write that is not tried again. Resolves once that is
   * known, or the store has failed.
   */
  async ask(deadline: number, attempt: number): Promise<void> {
    const isIdle = this.#writing === null && this.#waiting.length === 0;
    if (isIdle && !this.#hasEnded) this.#writing = this.#ask(deadlineChange(deadline, attempt));
    await this.write(); // One that waits learns it as well.
  }

  /** Writes what waits. Resolves once the store has it, or `onFailure` was called. */
  async write(): Promise<void> {
    this.#begin();
    await this.#writing;
  }

  /** Ends the log. Resolves once nothing is being written. Changes that wait are not written any more. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    this.#waiting = [];
    this.#endPause();
    await this.#writing;
  }

  #add(change: SessionChange, bytes: number): void {
    if (this.#hasEnded) return;
    this.#waiting.push(change);
    this.#waitingBytes += bytes + CHANGE_OVERHEAD;
    if (!this.#isFull && this.#waitingBytes > MAX_WAITING) {
      this.#isFull = true;
      this.#handler.onFull(true);
    }
    if (this.#isScheduled || this.#writing !== null) return;
    this.#isScheduled = true;
    this.#clock.afterPoll(() => {
      this.#isScheduled = false;
      this.#begin();
    });
  }

  #begin(): void {
    if (this.#writing === null && this.#waiting.length > 0) this.#writing = this.#write();
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#hasEnded) {
        const until = this.#clock.now() + this.#patience;
        try {
          await this.#attempt(() => this.#writeBatch());
        } catch (error) {
          await this.#tryAgain(error, until);
        }
      }
    } catch (error) {
      if (this.#hasEnded) return;
      // Another process has the session, and our messages only if an earlier write was carried out.
      if (error instanceof SessionFencedError) this.#handler.onLogging(this.#inDoubt);
      this.#handler.onFailure(error);
    } finally {
      this.#writing = null;
    }
  }

  async #ask(change: SessionChange): Promise<void> {
    try {
      await this.#store.append(this.#id, this.#generation, [change]);
    } catch (error) {
      if (!(error instanceof SessionFencedError))
        this.#changes = Infinity; // It may come late: the next write is whole.
      else if (!this.#hasEnded) this.#handler.onFailure(error);
    } finally {
      this.#writing = null;
      this.#begin();
    }
  }

  async #attempt(write: () => Promise<void>): Promise<void> {
    const sent = this.#sent;
    const settled = this.#settled;
    this.#handler.onLogging(sent);
    try {
      await write();
    } catch (error) {
      if (!(error instanceof SessionFencedError)) this.#inDoubt = sent;
      throw error;
    }
    this.#inDoubt = 0;
    this.#handler.onLogged(sent, settled); // Does nothing after the end of the session.
  }

  async #writeBatch(): Promise<void> {
    const { length } = this.#waiting;
    this.#changes += length;
    this.#bytes += this.#waitingBytes;
    const changes = this.#takeWaiting(length, this.#waitingBytes);
    if (this.#changes > MAX_CHANGES || this.#bytes > MAX_BYTES) await this.#writeWhole();
    else await this.#store.append(this.#id, this.#generation, changes);
  }

  async #writeWhole(): Promise<void> {
    this.#changes = 0;
    this.#bytes = 0;
    await this.#store.save(this.#handler.record(), () => (this.#changes = Infinity)); // The next write is whole again.
  }

  /** Changes go on waiting meanwhile, so that reading pauses when they are many. `until` is monotonic. */
  async #tryAgain(failure: unknown, until: number): Promise<void> {
    let error = failure;
    for (let delay = MIN_DELAY; ; delay = Math.min(2 * delay, MAX_DELAY)) {
      const isFinal = error instanceof SessionFencedError || error instanceof MessageTooBigError;
      if (isFinal || this.#clock.now() + delay > until) throw error;
      if (delay === MIN_DELAY) this.#handler.onInterrupted(error);
      await this.#pause(delay);
      if (this.#hasEnded) return;
      const { length } = this.#waiting;
      const bytes = this.#waitingBytes;
      try {
        await this.#attempt(() => this.#writeWhole());
        this.#takeWaiting(length, bytes);
        this.#handler.onInterrupted(null);
        return;
      } catch (again) {
        error = again;
      }
    }
  }

  #pause(delay: number): Promise<void> {
    if (this.#hasEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(delay, resolve, true);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Removes the oldest changes, which have so many bytes. */
  #takeWaiting(length: number, bytes: number): readonly SessionChange[] {
    const taken = this.#waiting.splice(0, length);
    this.#waitingBytes -= bytes;
    if (this.#isFull && this.#waitingBytes <= MAX_WAITING) {
      this.#isFull = false;
      this.#handler.onFull(false);
    }
    return taken;
  }
}

function deadlineChange(deadline: number, attempt: number): SessionChange {
  return { type: "deadline", deadline: deadline === Infinity ? null : deadline, attempt };
}
