// Messages that wait for a socket that takes no more, and the sends that wait with them. Each message stands on its
// own here, so that an aborted send can be taken out whole.

import type { Receipt } from "../wire.js";

export interface Entry {
  /** Null while the message is still being encoded: it keeps its place. */
  chunks: readonly Uint8Array[] | null;
  bytes: number;
  /** An encoder that remembers what it encoded has counted on the message to be sent. */
  readonly isWithdrawable: boolean;
  /** It continues the message of the frame before: nothing may come between the two. */
  readonly isContinuation: boolean;
  /** It was put ahead of the messages that waited. */
  readonly isAhead: boolean;
  readonly receipt: Receipt | null;
  fate: "dropped" | "handed-over" | "queued";
}

interface Waiter {
  readonly entry: Entry;
  /** The send resolves once fewer bytes than this are unsent. */
  readonly level: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly stopWatching: () => void;
}

export class Backlog {
  #entries: Entry[] = [];
  #waiters: Waiter[] = [];
  #bytes = 0;
  #droppedBytes = 0;
  /** Makes the error that tells of it; null until the connection is gone. */
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
    return this.#entries.length === 0;
  }

  /** Queues one frame, in one or several chunks. */
  push(
    chunks: readonly Uint8Array[],
    receipt: Receipt | null,
    isWithdrawable = true,
    isContinuation = false,
  ): Entry {
    const bytes = sizeOf(chunks);
    const entry: Entry = {
      chunks,
      bytes,
      isWithdrawable,
      isContinuation,
      isAhead: false,
      receipt,
      fate: "queued",
    };
    this.#entries.push(entry);
    this.#bytes += bytes;
    return entry;
  }

  /** Puts the frame of a whole message ahead of all messages of which nothing has left. */
  insert(chunks: readonly Uint8Array[], onSent: () => void): Entry {
    const bytes = sizeOf(chunks);
    const entry: Entry = {
      chunks,
      bytes,
      isWithdrawable: true,
      isContinuation: false,
      isAhead: true,
      receipt: { onHandedOver: onSent },
      fate: "queued",
    };
    const place = this.#entries.findIndex((other) => !other.isContinuation && !other.isAhead);
    this.#entries.splice(place === -1 ? this.#entries.length : place, 0, entry);
    this.#bytes += bytes;
    return entry;
  }

  /** Takes a frame out that has not left. */
  withdraw(entry: Entry): void {
    if (entry.fate !== "queued") return;
    entry.fate = "dropped";
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#bytes -= entry.bytes;
  }

  /** Keeps the place of a message that is still being encoded; it counts as `bytes` until then. */
  reserve(bytes: number, receipt: Receipt | null): Entry {
    const entry: Entry = {
      chunks: null,
      bytes,
      isWithdrawable: false,
      isContinuation: false,
      isAhead: false,
      receipt,
      fate: "queued",
    };
    this.#entries.push(entry);
    this.#bytes += bytes;
    return entry;
  }

  /** The message is encoded. */
  fill(entry: Entry, chunks: readonly Uint8Array[]): void {
    if (entry.fate !== "queued") return;
    this.#bytes -= entry.bytes;
    entry.chunks = chunks;
    entry.bytes = sizeOf(chunks);
    this.#bytes += entry.bytes;
  }

  /** Moves whole frames to `chunks`, which hold `held` bytes, while these are fewer than `limit`. */
  moveTo(chunks: Uint8Array[], held: number, limit: number): void {
    let count = 0;
    let total = held;
    for (; count < this.#entries.length && total < limit; count++) {
      const entry = this.#entries[count];
      if (entry.chunks === null) break;
      chunks.push(...entry.chunks);
      entry.fate = "handed-over";
      entry.receipt?.onHandedOver();
      total += entry.bytes;
    }
    if (count > 0) this.#entries.splice(0, count);
    this.#bytes -= total - held;
  }

  /** Resolves once fewer than `level` bytes are unsent; an abort before the frame left takes it out. */
  wait(entry: Entry, level: number, signal: AbortSignal | null): Promise<void> {
    if (this.#closedError !== null) return Promise.reject(this.#closedError());
    const promise = new Promise<void>((resolve, reject) => {
      const onAbort = (): void => this.#abort(entry, signal?.reason);
      signal?.addEventListener("abort", onAbort);
      const stopWatching = (): void => signal?.removeEventListener("abort", onAbort);
      this.#waiters.push({ entry, level, resolve, reject, stopWatching });
      if (signal?.aborted === true) onAbort(); // While the message was being encoded.
    });
    // A send that nobody awaits must not end the process when the connection is lost.
    promise.catch(() => undefined);
    return promise;
  }

  /** Tells those that may go on, now that `unsent` bytes are left. */
  wake(unsent: number): void {
    const waiters = this.#waiters;
    if (!waiters.some((waiter) => mayGoOn(waiter, unsent))) return;
    this.#waiters = waiters.filter((waiter) => !mayGoOn(waiter, unsent));
    for (const waiter of waiters) {
      if (!mayGoOn(waiter, unsent)) continue;
      waiter.stopWatching();
      waiter.resolve();
    }
  }

  /** Forgets the messages; their sends go on waiting for the connection's end. */
  drop(): void {
    for (const entry of this.#entries) entry.fate = "dropped";
    this.#entries = [];
    this.#droppedBytes += this.#bytes;
    this.#bytes = 0;
  }

  /** Forgets a message that cannot be encoded, and all behind it. */
  dropFrom(entry: Entry): void {
    const index = this.#entries.indexOf(entry);
    if (index < 0) return;
    for (const late of this.#entries.splice(index)) {
      late.fate = "dropped";
      this.#bytes -= late.bytes;
      this.#droppedBytes += late.bytes;
    }
  }

  /** Forgets what is still being encoded, and all behind it. */
  dropUnencoded(): void {
    const first = this.#entries.find(({ chunks }) => chunks === null);
    if (first !== undefined) this.dropFrom(first);
  }

  /** The connection is gone. */
  fail(closedError: () => Error): void {
    this.#closedError = closedError;
    this.drop();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      waiter.stopWatching();
      waiter.reject(closedError());
    }
  }

  /** A frame that still waits here is taken out; one that left is on its way, and its send is done with waiting. */
  #abort(entry: Entry, reason: unknown): void {
    const waiter = this.#waiters.find((candidate) => candidate.entry === entry);
    if (waiter === undefined) return;
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    waiter.stopWatching();
    if (entry.fate === "handed-over" || (entry.fate === "queued" && !entry.isWithdrawable)) {
      waiter.resolve();
      return;
    }
    this.withdraw(entry);
    waiter.reject(reason);
  }
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

/** A message that was dropped will never be sent: its send waits to be told how the connection ended. */
function mayGoOn({ entry, level }: Waiter, unsent: number): boolean {
  return unsent < level && entry.fate !== "dropped";
}
