// A bucket of JetStream's key-value store, created when it is missing, even if the server has lost it.

import { jetstream } from "@nats-io/jetstream";
import { Kvm, type KV } from "@nats-io/kv";
import type { CheckedOptions } from "../options.js";
import { CLIENT_TIMEOUT } from "./deadline.js";
import { codeOf, WRONG_SEQUENCE } from "./failures.js";
import type { Link } from "./link.js";

/** A value and its revision. A write names the revision that it replaces, so no other write comes in between. */
export interface Entry {
  readonly text: string;
  readonly revision: number;
}

export class Bucket {
  readonly #link: Link;
  readonly #name: string;
  readonly #options: CheckedOptions;
  readonly #lifetime: number;
  #opened: Promise<KV> | null = null;

  /** @param lifetime milliseconds after which a value expires unless it is written again */
  constructor(link: Link, name: string, options: CheckedOptions, lifetime: number) {
    this.#link = link;
    this.#name = name;
    this.#options = options;
    this.#lifetime = lifetime;
    link.onRestored(() => (this.#opened = null));
  }

  get(key: string): Promise<Entry | null> {
    return this.#run(async (bucket) => {
      const entry = await bucket.get(key);
      return entry?.operation === "PUT" ? { text: entry.string(), revision: entry.revision } : null;
    });
  }

  /**
   * Writes a value if its revision is still this one (0: it has none). Returns the new revision, or null if another
   * write came first. If the answer is lost, the write may have succeeded.
   */
  async put(key: string, text: string, revision: number): Promise<number | null> {
    try {
      return await this.#run((bucket) => bucket.put(key, text, { previousSeq: revision }), false);
    } catch (error) {
      if (codeOf(error) === WRONG_SEQUENCE) return null;
      throw error;
    }
  }

  delete(key: string): Promise<void> {
    return this.#run((bucket) => bucket.purge(key));
  }

  #run<Result>(act: (bucket: KV) => Promise<Result>, isRepeatable = true): Promise<Result> {
    return this.#link.jetStream(
      async () => {
        try {
          this.#opened ??= this.#open();
          return await act(await this.#opened);
        } catch (error) {
          if (codeOf(error) !== WRONG_SEQUENCE) this.#opened = null;
          throw error;
        }
      },
      undefined,
      isRepeatable,
    );
  }

  #open(): Promise<KV> {
    const { storage, replicas } = this.#options;
    const manager = new Kvm(jetstream(this.#link.connection, { timeout: CLIENT_TIMEOUT }));
    // Without `allow_direct`, the leader answers: another server may not have the newest values yet.
    return manager.create(this.#name, {
      history: 1,
      ttl: this.#lifetime,
      storage,
      replicas,
      allow_direct: false,
    });
  }
}
