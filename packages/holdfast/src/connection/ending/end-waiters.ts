// The promise, the signal and the pending calls that settle when a connection ends. Most connections need none of
// them, so the core makes this object on demand.

import { Deferred } from "../../shared/deferred.js";
import type { CloseInfo } from "../close-info.js";
import type { ConnectionCore } from "../connection-core.js";
import { Interruption } from "../interruption.js";

export class EndWaiters {
  readonly #core: ConnectionCore;
  #closed: Deferred<CloseInfo> | null = null;
  #aborter: AbortController | null = null;
  #waits: Set<Interruption> | null = null;

  constructor(core: ConnectionCore) {
    this.#core = core;
  }

  get closed(): Promise<CloseInfo> {
    if (this.#closed === null) {
      this.#closed = new Deferred();
      if (this.#core.hasEnded) this.#closed.resolve(this.#core.closeInfo);
    }
    return this.#closed.promise;
  }

  get signal(): AbortSignal {
    if (this.#aborter === null) {
      this.#aborter = new AbortController();
      if (this.#core.hasEnded) this.#aborter.abort(this.#core.closedError());
    }
    return this.#aborter.signal;
  }

  /** Begins a wait that the end of the connection, or an abort, interrupts; call its `stop()` when the wait is over. */
  begin(signal: AbortSignal | null): Interruption {
    const wait = new Interruption(signal, (this.#waits ??= new Set()));
    if (this.#core.hasEnded) wait.interrupt(this.#core.closedError());
    return wait;
  }

  /** The connection has ended. */
  end(info: CloseInfo): void {
    this.#closed?.resolve(info);
    this.#aborter?.abort(this.#core.closedError());
    for (const wait of this.#waits ?? []) wait.interrupt(this.#core.closedError());
  }
}
