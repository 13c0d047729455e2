// The core of a persistent connection in a page that still loads its code: keeps what the application asks for until the
// core is there. Outgoing messages wait in the sender as always, so only reading waits here.

import type { Bytes } from "../../connection/arguments.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import { secondReaderError } from "../../connection/errors.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { WaitOptions } from "../../connection/reading/readers.js";
import type { ConnectionSession } from "../../connection/session-state.js";
import { Alarm, type TimerQueue } from "../../connection/timer-queue.js";
import { noLatency } from "../../heartbeat/no-latency.js";
import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import type { HoldfastError } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import type { AttemptOutcome } from "../attempt.js";
import type { ConnectorOptions } from "../connector.js";
import { abortedError, neverOpenedInfo, openingError } from "../opening-failure.js";
import { backoffDelay, randomFraction } from "../retry/backoff.js";
import { HeldCalls, withinLimits } from "./held-calls.js";
import type { PersistentControls } from "./persistent-controls.js";
import type { MessageSettings } from "./sender.js";
import type { PersistentSetup } from "./set-up.js";

type StartableCore = PersistentControls & {
  /** Begins to connect. */
  start(): void;
};

/** @param failures the number of attempts that have failed before it */
type MakeCore = (failures: number) => StartableCore;

export class LoadingCore<Options extends ConnectorOptions> implements PersistentControls {
  readonly #setup: PersistentSetup<Options>;
  readonly #load: () => Promise<MakeCore>;
  /** Null before the code is there. */
  #makeCore: MakeCore | null = null;
  readonly #held = new HeldCalls();
  #isLoading = false;
  /** The page is being hidden, perhaps for good. Only with the option `keep`. */
  #isSuspended = false;
  /** How often loading has failed. */
  #failures = 0;
  readonly #retry = new Alarm({ onAlarm: () => void this.#begin() });
  readonly #stopWatching: (() => void) | undefined;

  /** @param load loads the code, and returns a function that makes the core */
  constructor(setup: PersistentSetup<Options>, load: () => Promise<MakeCore>) {
    this.#setup = setup;
    this.#load = load;
    const { signal } = setup.persist;
    this.#stopWatching = setup.target.connector.watchReturns?.(() => void this.#begin());
    setup.kept?.attach({ suspend: () => this.#suspend(), resume: () => this.#resume() });
    if (signal?.aborted === true) this.#onAbort();
    watchAbort(signal, this.#onAbort);
    void this.#begin();
  }

  get connection(): Connection | null {
    return this.#core?.connection ?? null;
  }

  get sessionState(): ConnectionSession | null {
    return this.#core?.sessionState ?? null;
  }

  get latencyStats(): LatencyStats {
    return this.#core?.latencyStats ?? noLatency();
  }

  send(data: string | Bytes, settings: MessageSettings): Promise<void> {
    if (this.#core !== null) return this.#core.send(data, settings);
    const sent = this.#setup.sender.send(data, settings);
    if (this.#isSuspended) this.#save();
    return sent;
  }

  recv(options: WaitOptions): Promise<Message> {
    if (this.#core !== null) return this.#core.recv(options);
    return withinLimits(options, this.#setup.target.connector.runtime, (signal) =>
      this.#held.read(
        (core) => core.recv({ signal, timeout: null }),
        () => Promise.reject(this.#setup.lifecycle.closedError()),
        signal,
      ),
    );
  }

  forEach(callback: (message: Message) => unknown, signal: AbortSignal | null): Promise<CloseInfo> {
    const { lifecycle } = this.#setup;
    return this.#held.read(
      (core) => core.forEach(callback, signal),
      () => lifecycle.closed,
      signal,
    );
  }

  iterate(): AsyncIterator<Message, undefined> {
    if (this.#core !== null) return this.#core.iterate();
    const { lifecycle } = this.#setup;
    const done = { value: undefined, done: true } as const;
    let iterator: AsyncIterator<Message, undefined> | null = null;
    return {
      next: () =>
        this.#held.read(
          (core) => (iterator ??= core.iterate()).next(),
          () => (lifecycle.hasEndedWell ? Promise.resolve(done) : Promise.reject(lifecycle.closedError())),
        ),
      return: () => iterator?.return?.() ?? Promise.resolve(done),
    };
  }

  discard(): void {
    if (this.#core !== null) {
      this.#core.discard();
      return;
    }
    if (this.#held.isReading) throw secondReaderError("discard()");
    this.#held.add((core) => core.discard());
  }

  expectEnd(): void {
    if (this.#core !== null) this.#core.expectEnd();
    else this.#held.add((core) => core.expectEnd());
  }

  probe(): void {
    if (this.#core !== null) this.#core.probe();
    else void this.#begin();
  }

  close(close: { readonly code: number; readonly reason: string }): void {
    if (this.#core !== null) this.#core.close(close);
    else this.#endNow(undefined);
  }

  terminate(): void {
    if (this.#core !== null) this.#core.terminate();
    else this.#endNow(undefined);
  }

  /** Null before it is made. */
  get #core(): PersistentControls | null {
    return this.#held.core;
  }

  get #isOver(): boolean {
    return this.#setup.lifecycle.isEnding;
  }

  get #timers(): TimerQueue {
    return this.#setup.target.connector.runtime.timers;
  }

  #now(): number {
    return this.#setup.target.connector.runtime.clock.now();
  }

  /** Loads the code, again and again if that fails: for instance, while the network is away. */
  async #begin(): Promise<void> {
    const { lifecycle } = this.#setup;
    if (this.#isOver || this.#isLoading || this.#makeCore !== null) return;
    this.#isLoading = true;
    this.#timers.cancel(this.#retry);
    if (lifecycle.status.state === "waiting")
      lifecycle.change({ state: "connecting", attempt: this.#failures + 1 });
    try {
      this.#makeCore = await this.#load();
    } catch (error) {
      this.#isLoading = false;
      this.#onFailed(openingError(error));
      return;
    }
    this.#continue();
  }

  /** As after an attempt that failed. */
  #onFailed(error: HoldfastError): void {
    const { target, persist, connectionSettings, lifecycle } = this.#setup;
    if (this.#isOver) return;
    connectionSettings.faultLogger?.warn("the code of a persistent connection cannot be loaded", { error });
    let failure: Error = error;
    try {
      if (persist.retryable(error, true)) {
        this.#failures++;
        const delay = backoffDelay(this.#failures, persist, randomFraction(target.connector.runtime.random));
        const outcome = this.#outcomeOf(error);
        const retry = { attempt: this.#failures, delay, requestedByServer: false };
        const since = lifecycle.now();
        this.#timers.set(this.#retry, this.#now() + delay);
        lifecycle.set({ state: "waiting", retryAt: since + delay, ...retry, ...outcome }, since);
        lifecycle.report("disconnected", outcome);
        return;
      }
    } catch (thrown) {
      failure = errorOf(thrown);
    }
    this.#end(this.#outcomeOf(error), failure);
  }

  /** Hands over to the core, once its code is there. */
  #continue(): void {
    const makeCore = this.#makeCore;
    // While the page is being hidden, nothing connects: the next page may continue the session.
    if (makeCore === null || this.#isOver || this.#isSuspended) return;
    this.#stop();
    const core = makeCore(this.#failures);
    this.#held.run(core);
    core.start();
  }

  /** The page is about to stop: keeps the session for the next one. */
  #suspend(): void {
    if (this.#isOver || this.#isSuspended) return;
    this.#isSuspended = true;
    this.#save();
  }

  #save(): void {
    const { kept, sender } = this.#setup;
    const { session = null, unread = [], untaken = [] } = kept?.state ?? {};
    kept?.save({ session, unread, untaken, queued: sender.save() });
  }

  /** The page continues after all. */
  #resume(): void {
    const { kept, sender } = this.#setup;
    if (this.#isOver || !this.#isSuspended) return;
    this.#isSuspended = false;
    if (kept?.reclaim() === false) {
      sender.forget();
      sender.restore(kept.adopt()?.queued ?? []);
    }
    this.#continue();
  }

  /** This side ends it without having tried to connect. */
  #endNow(reason: unknown): void {
    if (!this.#isOver) this.#end(this.#outcomeOf(abortedError(null, reason)), null);
  }

  #outcomeOf(error: HoldfastError): AttemptOutcome {
    const { connectionSettings, lifecycle } = this.#setup;
    return { info: neverOpenedInfo(error, connectionSettings, lifecycle.now()), error };
  }

  #end(outcome: AttemptOutcome, failure: Error | null): void {
    this.#stop();
    const { lifecycle, sender, kept } = this.#setup;
    kept?.unwatch();
    sender.end(failure ?? outcome.error, this.#isSuspended && kept?.reclaim() === false);
    lifecycle.end(outcome, failure, () => this.#held.end());
  }

  #stop(): void {
    this.#timers.cancel(this.#retry);
    unwatchAbort(this.#setup.persist.signal, this.#onAbort);
    this.#stopWatching?.();
  }

  readonly #onAbort = (): void => this.#endNow(this.#setup.persist.signal?.reason);
}
