// The promise, the signal and the pending calls that settle when a connection ends. Most connections need none of
// them, so the core makes this object on demand.

import { Deferred } from "../shared/deferred.js";
import type { CloseInfo } from "./close-info.js";
import type { ConnectionClosed } from "./errors.js";
import { Interruptions } from "./interruption.js";
import type { ConnectionCore } from "./connection-core.js";

export class EndWaiters {
  readonly #source: ConnectionCore;
  #closed: Deferred<CloseInfo> | null = null;
  #aborter: AbortController | null = null;
  #interruptions: Interruptions | null = null;

  constructor(source: ConnectionCore) {
    this.#source = source;
  }

  get closed(): Promise<CloseInfo> {
    if (this.#closed === null) {
      this.#closed = new Deferred();
      if (this.#source.hasEnded) this.#closed.resolve(this.#source.closeInfo);
    }
    return this.#closed.promise;
  }

  get signal(): AbortSignal {
    if (this.#aborter === null) {
      this.#aborter = new AbortController();
      if (this.#source.hasEnded) this.#aborter.abort(this.#source.closedError());
    }
    return this.#aborter.signal;
  }

  get interruptions(): Interruptions {
    if (this.#interruptions === null) {
      this.#interruptions = new Interruptions();
      if (this.#source.hasEnded) this.#interruptions.end(() => this.#source.closedError());
    }
    return this.#interruptions;
  }

  /** The connection has ended. */
  end(info: CloseInfo, closedError: () => ConnectionClosed): void {
    this.#closed?.resolve(info);
    this.#aborter?.abort(closedError());
    this.#interruptions?.end(closedError);
  }
}
