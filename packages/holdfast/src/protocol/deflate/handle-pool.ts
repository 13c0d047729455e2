// The zlib handles of the process. There are at most a fixed number of them: a new one replaces the least recently used.
// So only busy connections keep a handle, and an idle connection costs no more than its window, without any timer.

import type { ZlibHandle } from "./zlib-handle.js";

interface Entry {
  readonly handle: ZlibHandle;
  /** The number of the pool's use in which the handle was used last. */
  lastUse: number;
}

export class HandlePool<Key> {
  readonly #capacity: number;
  readonly #entries = new Map<Key, Entry>();
  #uses = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The handle for this key, if it is still there. */
  get(key: Key): ZlibHandle | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.lastUse = ++this.#uses;
    return entry.handle;
  }

  /** Adds a handle for a key that has none, and closes the least recently used one if there are too many. */
  add(key: Key, handle: ZlibHandle): ZlibHandle {
    if (this.#entries.size === this.#capacity) this.#dropOldest();
    this.#entries.set(key, { handle, lastUse: ++this.#uses });
    return handle;
  }

  /** Closes the handle for this key, if there is one. */
  drop(key: Key): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    entry.handle.close();
  }

  clear(): void {
    for (const { handle } of this.#entries.values()) handle.close();
    this.#entries.clear();
  }

  /** Searches: keeping the entries in the order of use would cost more, at each use. */
  #dropOldest(): void {
    let [oldest] = this.#entries;
    for (const each of this.#entries) if (each[1].lastUse < oldest[1].lastUse) oldest = each;
    this.drop(oldest[0]);
  }
}
