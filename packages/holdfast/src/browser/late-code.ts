// The code that a page loads after its start. Workers contain that code instead, so nothing in this file may be part of
// their script: by default, Vite builds workers without dynamic imports.

import { quietly } from "../shared/deferred.js";
import { loadCode } from "../shared/load-code.js";
import { CONNECTIONS, OPTIONS, type ConnectionCode, type LateCode, type OpeningCode } from "./load-code.js";

/** Code that a page loads once, while its first connection opens. */
class LazyCode<Code> implements LateCode<Code> {
  readonly #what: string;
  readonly #load: () => Promise<Code>;
  #code: Code | null = null;
  #loading: Promise<Code> | null = null;

  /** @param what for error messages */
  constructor(what: string, load: () => Promise<Code>) {
    this.#what = what;
    this.#load = load;
  }

  get(): Code | Promise<Code> {
    return this.#code ?? (this.#loading ??= quietly(this.#fetch())); // Unawaited if opening fails.
  }

  async #fetch(): Promise<Code> {
    try {
      return (this.#code = await loadCode(this.#what, this.#load));
    } finally {
      this.#loading = null;
    }
  }
}

/** The code of open connections. */
export const connectionCode = new LazyCode<ConnectionCode>(CONNECTIONS, () => import("./page-connection.js"));

/** The code of the options that few pages need. */
export const rareCode = new LazyCode(OPTIONS, () => import("./rare-code.js"));

export const openingCode: OpeningCode = { connection: connectionCode, rare: rareCode };

/** The code of open connections in workers. */
export const workerConnectionCode = new LazyCode(CONNECTIONS, () => import("./page-worker-connection.js"));

/** The code of persistent connections. */
export const persistentCode = new LazyCode(
  "persistent connections",
  () => import("./page-persistent-code.js"),
);
