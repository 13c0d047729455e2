// Messages that wait for a blocked socket, and their pending sends. Each message is a separate entry, so that an
// aborted send can be removed as a whole.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { rejectToCaller } from "../../connection/caller-stack.js";
import { Deferred, quietly } from "../../shared/deferred.js";
import { CONTINUATION, OPCODE_BITS } from "../../shared/opcode.js";
import type { SendObserver } from "../../connection/message-transport.js";

export interface QueuedFrame {
  /** Null while the message is still being encoded, which keeps its place. */
  chunks: readonly Uint8Array[] | null;
  bytes: number;
  /** False if a stateful encoder depends on the message being sent. */
  readonly isWithdrawable: boolean;
  /** It continues a fragmented message: no other message may precede it. */
  readonly isContinuation: boolean;
  /** It was inserted ahead of waiting messages. */
  readonly isAhead: boolean;
  readonly receipt: SendObserver | null;
  fate: "dropped" | "handed-over" | "queued";
}

interface Waiter {
  readonly entry: QueuedFrame;
  /** The send resolves once fewer bytes than this are unsent. */
  readonly level: number;
  readonly sent: Deferred;
  readonly stopWatching: () => void;
}

/** The callbacks of a message that is still being encoded. */
interface LateHandler {
  readonly onFilled: (entry: QueuedFrame) => Promise<void>;
  readonly onFailed: (error: Error) => void;
}

export class SendQueue {
  /** From `#head` on, in the order of the wire. A withdrawn message leaves a gap until there are too many. */
  #entries: QueuedFrame[] = [];
  #head = 0;
  #gaps = 0;
  readonly #waiters = new Set<Waiter>();
  /** No waiter has a level above this. */
  #highestLevel = 0;
  #bytes = 0;
  #droppedBytes = 0;
  /** Makes the error that reports the end; null before the end. */
  #closedError: (() => Error) | null = null;

  /** Bytes of the messages that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the messages that were dropped. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  get isEmpty(): boolean {
    return this.#entries.length - this.#head === this.#gaps;
  }

  /** Whether every message has been handed over. */
  get isDone(): boolean {
    return this.isEmpty && this.#droppedBytes === 0;
  }

  /** Queues one frame, in one or several chunks. */
  push(chunks: readonly Uint8Array[], receipt: SendObserver | null, isWithdrawable = true): QueuedFrame {
    const entry = queued(chunks, sizeOf(chunks), receipt, { isWithdrawable });
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    return entry;
  }

  /** Reserves the place of a message that is still being encoded; it counts as `size` bytes until then. */
  pushLater(
    frame: Promise<Uint8Array>,
    size: number,
    receipt: SendObserver | null,
    { onFilled, onFailed }: LateHandler,
  ): Promise<void> {
    const entry = queued(null, size, receipt, { isWithdrawable: false });
    this.#entries.push(entry);
    this.#bytes += size;
    const sent = frame.then(
      (bytes) => {
        this.#fill(entry, bytes);
        return onFilled(entry);
      },
      (error: unknown) => {
        this.#dropFrom(entry);
        onFailed(error as Error); // An extension rejects with nothing else.
        return this.wait(entry, 0, null);
      },
    );
    return quietly(sent);
  }

  /** Inserts the frame of a whole message before all messages that have not begun to be sent. */
  insert(chunks: readonly Uint8Array[], onSent: () => void): QueuedFrame {
    const entry = queued(chunks, sizeOf(chunks), { onHandedOver: onSent }, { isAhead: true });
    this.#compact();
    const place = this.#entries.findIndex((other) => !other.isContinuation && !other.isAhead);
    this.#entries.splice(place === -1 ? this.#entries.length : place, 0, entry);
    this.#bytes += entry.bytes;
    return entry;
  }

  /** Removes a frame that has not been written. */
  withdraw(entry: QueuedFrame): void {
    if (entry.fate !== "queued") return;
    entry.fate = "dropped";
    entry.chunks = NO_CHUNKS;
    this.#bytes -= entry.bytes;
    this.#gaps++;
    // Compact when half are gaps, so that a removal costs the same on average in a queue of any length.
    if (this.#gaps * 2 > this.#entries.length - this.#head) this.#compact();
  }

  /** Moves whole frames to `chunks`, which hold `held` bytes, until these are at least `limit`. */
  moveTo(chunks: Uint8Array[], held: number, limit: number): void {
    let total = held;
    while (this.#head < this.#entries.length && total < limit) {
      const entry = this.#entries[this.#head];
      if (entry.chunks === null) break;
      this.#head++; // Before the receipt, which may withdraw another entry.
      if (entry.fate !== "queued") {
        this.#gaps--;
        continue;
      }
      chunks.push(...entry.chunks);
      entry.chunks = NO_CHUNKS; // The entry may stay for a while, but its memory is not needed.
      entry.fate = "handed-over";
      entry.receipt?.onHandedOver();
      total += entry.bytes;
    }
    this.#bytes -= total - held;
    if (this.#head * 2 >= this.#entries.length) this.#compact();
  }

  /** Resolves once fewer than `level` bytes are unsent. An abort removes the frame if it has not been written. */
  wait(entry: QueuedFrame, level: number, signal: AbortSignal | null): Promise<void> {
    if (this.#closedError !== null) return Promise.reject(this.#closedError());
    const onAbort = (): void => this.#abort(waiter, signal?.reason);
    const stopWatching = (): void => unwatchAbort(signal, onAbort);
    const waiter: Waiter = { entry, level, sent: new Deferred(), stopWatching };
    this.#waiters.add(waiter);
    this.#highestLevel = Math.max(this.#highestLevel, level);
    if (signal?.aborted === true)
      onAbort(); // Aborted while the message was being encoded.
    else watchAbort(signal, onAbort);
    return waiter.sent.promise;
  }

  /** Resolves the sends that may continue now that `unsent` bytes are left. */
  wake(unsent: number): void {
    if (this.#waiters.size === 0 || unsent >= this.#highestLevel) return;
    this.#highestLevel = 0;
    for (const waiter of this.#waiters) {
      if (mayContinue(waiter, unsent)) {
        this.#waiters.delete(waiter);
        waiter.stopWatching();
        waiter.sent.resolve();
      } else {
        this.#highestLevel = Math.max(this.#highestLevel, waiter.level);
      }
    }
  }

  /** Drops the messages; their sends wait for the end of the connection. */
  drop(): void {
    this.#compact();
    for (const entry of this.#entries) entry.fate = "dropped";
    this.#entries = [];
    this.#droppedBytes += this.#bytes;
    this.#bytes = 0;
  }

  /** Drops messages that are still being encoded, and all after them. */
  dropUnencoded(): void {
    const first = this.#entries.find(({ chunks }) => chunks === null);
    if (first !== undefined) this.#dropFrom(first);
  }

  /** The connection has ended. */
  fail(closedError: () => Error): void {
    this.#closedError = closedError;
    this.drop();
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.stopWatching();
      waiter.sent.resolve(rejectToCaller(closedError(), waiter.sent.promise));
    }
  }

  /** The message is encoded. */
  #fill(entry: QueuedFrame, frame: Uint8Array): void {
    if (entry.fate !== "queued") return;
    this.#bytes += frame.length - entry.bytes;
    entry.chunks = [frame];
    entry.bytes = frame.length;
  }

  /** Drops a message that cannot be encoded, and all after it. */
  #dropFrom(entry: QueuedFrame): void {
    this.#compact();
    const index = this.#entries.indexOf(entry);
    if (index < 0) return;
    for (const late of this.#entries.splice(index)) {
      late.fate = "dropped";
      this.#bytes -= late.bytes;
      this.#droppedBytes += late.bytes;
    }
  }

  /** Removes the gaps. */
  #compact(): void {
    if (this.#head === 0 && this.#gaps === 0) return;
    const waiting = this.#entries.slice(this.#head);
    this.#entries = this.#gaps === 0 ? waiting : waiting.filter(({ fate }) => fate === "queued");
    this.#head = 0;
    this.#gaps = 0;
  }

  /** Removes a waiting frame. A frame that was written cannot be stopped, so its send only stops waiting. */
  #abort(waiter: Waiter, reason: unknown): void {
    if (!this.#waiters.delete(waiter)) return;
    waiter.stopWatching();
    const { entry } = waiter;
    if (entry.fate === "handed-over" || (entry.fate === "queued" && !entry.isWithdrawable)) {
      waiter.sent.resolve();
      return;
    }
    this.withdraw(entry);
    void quietly(waiter.sent.promise);
    waiter.sent.reject(reason);
  }
}

function queued(
  chunks: readonly Uint8Array[] | null,
  bytes: number,
  receipt: SendObserver | null,
  { isWithdrawable = true, isAhead = false },
): QueuedFrame {
  const isContinuation = chunks !== null && (chunks[0][0] & OPCODE_BITS) === CONTINUATION;
  return { chunks, bytes, isWithdrawable, isContinuation, isAhead, receipt, fate: "queued" };
}

const NO_CHUNKS: readonly Uint8Array[] = [];

function sizeOf(chunks: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

/** A dropped message will never be sent: its send settles when the connection has ended. */
function mayContinue({ entry, level }: Waiter, unsent: number): boolean {
  return unsent < level && entry.fate !== "dropped";
}
