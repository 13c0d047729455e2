// The zlib handles of the process. There are at most a fixed number of them: a new one replaces the least recently used.
// So only busy connections keep a handle, and an idle connection costs no more than its window, without any timer.

import type { ZlibHandle } from "./zlib-handle.js";

export class HandlePool<Key> {
  readonly #capacity: number;
  /** In the order of their last use. */
  readonly #handles = new Map<Key, ZlibHandle>();
  #newest: Key | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#handles.size;
  }

  /** The handle for this key, if it is still there. */
  get(key: Key): ZlibHandle | undefined {
    const handle = this.#handles.get(key);
    if (handle !== undefined && key !== this.#newest) {
      this.#handles.delete(key);
      this.#handles.set(key, handle);
      this.#newest = key;
    }
    return handle;
  }

  /** Adds a handle for a key that has none, and closes the least recently used one if there are too many. */
  add(key: Key, handle: ZlibHandle): ZlibHandle {
    if (this.#handles.size === this.#capacity) {
      const [oldest] = this.#handles.keys();
      this.drop(oldest);
    }
    this.#handles.set(key, handle);
    this.#newest = key;
    return handle;
  }

  /** Closes the handle for this key, if there is one. */
  drop(key: Key): void {
    const handle = this.#handles.get(key);
    if (handle === undefined) return;
    this.#handles.delete(key);
    if (key === this.#newest) this.#newest = undefined;
    handle.close();
  }

  clear(): void {
    for (const handle of this.#handles.values()) handle.close();
    this.#handles.clear();
    this.#newest = undefined;
  }
}
