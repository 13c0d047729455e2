// The status, the listeners and the end of a persistent connection.

import type { CloseInfo } from "../../connection/close-info.js";
import { connectionClosed } from "../../connection/errors.js";
import { Listeners } from "../../connection/listeners.js";
import type { FaultLogger } from "../../connection/platform.js";
import type { Runtime } from "../../connection/runtime.js";
import { Deferred } from "../../shared/deferred.js";
import type { AttemptOutcome } from "../attempt.js";
import type { PersistentEvents, PersistentStatus } from "./status.js";

type Unstamped<Status> = Status extends PersistentStatus ? Omit<Status, "since"> : never;

export class Lifecycle {
  readonly listeners: Listeners<PersistentEvents>;
  readonly #runtime: Runtime;
  readonly #aborter = new AbortController();
  readonly #closed = new Deferred<CloseInfo>();
  #status: PersistentStatus;

  constructor(runtime: Runtime, faultLogger: FaultLogger | null) {
    this.#runtime = runtime;
    this.listeners = new Listeners(runtime.platform, faultLogger);
    this.#status = Object.freeze({ state: "connecting", attempt: 1, since: this.now() });
  }

  get status(): PersistentStatus {
    return this.#status;
  }

  get closed(): Promise<CloseInfo> {
    return this.#closed.promise;
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  get isEnding(): boolean {
    return this.#status.state === "closing" || this.#status.state === "closed";
  }

  get hasEndedWell(): boolean {
    return this.#status.state === "closed" && this.#status.error === null;
  }

  /** Only after the end. */
  closedError(): Error {
    const status = this.#status;
    if (status.state !== "closed") throw new Error("Expected closedError() after the end only."); // Readers do so.
    return status.error ?? connectionClosed(status.info);
  }

  /** Wall-clock time, for `since`. */
  now(): number {
    return this.#runtime.clock.wallNow();
  }

  /** Changes the status. The caller reports it. */
  set(status: Unstamped<PersistentStatus>, since = this.now()): void {
    this.#status = Object.freeze({ ...status, since });
  }

  /** Changes the status, and reports it. */
  change(status: Unstamped<PersistentStatus>, since?: number): void {
    this.set(status, since);
    this.listeners.emit("status", this.#status);
  }

  /** Reports the event, and then the status, unless a listener has changed it again. */
  report<Name extends keyof PersistentEvents>(name: Name, event: PersistentEvents[Name]): void {
    const status = this.#status;
    this.listeners.emit(name, event);
    if (this.#status === status) this.listeners.emit("status", status);
  }

  /**
   * Ends, in this order: the status, readers and other parts (`endParts`), the promise and the signal, the last events.
   *
   * @param failure as in `SupervisorHandler.onOver`
   */
  end({ info, error }: AttemptOutcome, failure: Error | null, endParts: () => void): void {
    const wasWaiting = this.#status.state === "waiting";
    this.set({ state: "closed", info, error: failure });
    endParts();
    this.#closed.resolve(info);
    this.#aborter.abort(this.closedError());
    // The last failure was reported before the delay.
    if (wasWaiting) this.listeners.emit("status", this.#status);
    else this.report("disconnected", { info, error });
    this.listeners.clear();
  }
}
