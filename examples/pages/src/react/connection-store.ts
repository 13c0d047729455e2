// A connection as an external store: it is open while a component is subscribed, and hands out immutable snapshots.

import { connectPersistent, type PersistentConnection, type PersistentStatus } from "holdfast/browser";

export interface Snapshot {
  readonly state: PersistentStatus["state"];
  /** The round trip of the newest ping, in milliseconds. */
  readonly latency: number | null;
  readonly messages: readonly string[];
}

const INITIAL: Snapshot = { state: "connecting", latency: null, messages: [] };
const KEPT_MESSAGES = 100;
/**
 * Milliseconds without subscribers until the connection closes. StrictMode and hot reload unsubscribe and subscribe again
 * at once, and a change of page does so within a moment.
 */
const LINGER = 1_000;

export class ConnectionStore {
  readonly #url: string;
  readonly #listeners = new Set<() => void>();
  #snapshot = INITIAL;
  #link: PersistentConnection | null = null;
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** Opens nothing: so a module may create it, on the server too. */
  constructor(url: string) {
    this.#url = url;
  }

  /** Arrow functions: React calls them without `this`, and compares them by identity. */
  readonly subscribe = (listener: () => void): (() => void) => {
    clearTimeout(this.#idle);
    this.#listeners.add(listener);
    this.#link ??= this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#idle = setTimeout(() => this.#close(), LINGER);
    };
  };

  /** The same object until something has changed. */
  readonly getSnapshot = (): Snapshot => this.#snapshot;

  /** For server rendering, and for the first render in the page, which has to equal it. */
  readonly getServerSnapshot = (): Snapshot => INITIAL;

  readonly send = async (text: string): Promise<void> => {
    await this.#link?.send(text);
  };

  #open(): PersistentConnection {
    const link = connectPersistent(this.#url);
    link.on("status", ({ state }) => this.#change({ state }));
    void link.forEach((message) => this.#receive(link, String(message))).catch(() => undefined); // The status says why.
    return link;
  }

  #receive({ latency }: PersistentConnection, message: string): void {
    this.#change({ latency, messages: [...this.#snapshot.messages, message].slice(-KEPT_MESSAGES) });
  }

  #change(difference: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...difference };
    for (const listener of this.#listeners) listener();
  }

  #close(): void {
    void this.#link?.close();
    this.#link = null;
    this.#snapshot = INITIAL;
  }
}
