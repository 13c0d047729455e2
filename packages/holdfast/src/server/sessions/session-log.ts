// Logs the messages of one session to the store, for `durability: "message"`: one write for all that changed in a turn,
// and one write at a time. Then those messages may be sent, or confirmed.

import type { Clock } from "../../connection/ports.js";
import type { SessionMessageData } from "../../session/session-memory.js";
import type { SessionChange, SessionRecord } from "../../session/store/session-record.js";
import type { MessageLog } from "../../transport/session/message-log.js";
import type { StoreCalls } from "./store-calls.js";

export interface SessionLogHandler {
  /** The session as it is now. */
  record(): SessionRecord;
  /** Our messages up to `sent` are being given to the store. */
  onLogging(sent: number): void;
  /** Our messages up to `sent` are in the store, and the client's up to `settled`. */
  onLogged(sent: number, settled: number): void;
  /** So much waits to be written that reading should pause (true), or may continue (false). */
  onFull(isFull: boolean): void;
  /** The store failed, or has given the session to another process. */
  onFailure(error: unknown): void;
}

/** After so many changes, or bytes of messages, the whole record is written in their place. */
const MAX_CHANGES = 4096;
const MAX_BYTES = 1024 * 1024;

/** Bytes of messages that may wait to be written before reading pauses. */
const MAX_WAITING = 1024 * 1024;

/** Stands for the memory of a change beside its message. */
const CHANGE_OVERHEAD = 64;

export class SessionLog implements MessageLog {
  readonly #id: string;
  readonly #acknowledge: "handled" | "received";
  readonly #store: StoreCalls;
  readonly #clock: Clock;
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
  #hasEnded = false;

  /** `stored` is what the store has. */
  constructor(
    stored: SessionRecord,
    acknowledge: "handled" | "received",
    store: StoreCalls,
    clock: Clock,
    handler: SessionLogHandler,
  ) {
    this.#id = stored.id;
    this.#generation = stored.generation;
    this.#acknowledge = acknowledge;
    this.#store = store;
    this.#clock = clock;
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
    this.#add({ type: "deadline", deadline: deadline === Infinity ? null : deadline, attempt }, 0);
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
        const sent = this.#sent;
        const settled = this.#settled;
        this.#handler.onLogging(sent);
        await this.#writeBatch(this.#takeWaiting());
        this.#handler.onLogged(sent, settled); // Does nothing after the end of the session.
      }
    } catch (error) {
      if (!this.#hasEnded) this.#handler.onFailure(error);
    } finally {
      this.#writing = null;
    }
  }

  async #writeBatch(changes: readonly SessionChange[]): Promise<void> {
    if (this.#changes > MAX_CHANGES || this.#bytes > MAX_BYTES) {
      this.#changes = 0;
      this.#bytes = 0;
      await this.#store.save(this.#handler.record());
    } else {
      await this.#store.append(this.#id, this.#generation, changes);
    }
  }

  #takeWaiting(): readonly SessionChange[] {
    const taken = this.#waiting;
    this.#changes += taken.length;
    this.#bytes += this.#waitingBytes;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#isFull) {
      this.#isFull = false;
      this.#handler.onFull(false);
    }
    return taken;
  }
}
