// The core of a persistent connection in a page that still loads its code: keeps what the application asks for until the
// core is there. Outgoing messages wait in the sender as always, so only reading waits here.

import type { Bytes } from "../../connection/arguments.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import { noMessageError, secondReaderError } from "../../connection/errors.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { WaitOptions } from "../../connection/reading/readers.js";
import type { ConnectionSession } from "../../connection/session-state.js";
import { Alarm, type TimerQueue } from "../../connection/timer-queue.js";
import { noLatency } from "../../heartbeat/no-latency.js";
import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { Deferred, ignore } from "../../shared/deferred.js";
import type { AttemptOutcome } from "../attempt.js";
import type { ConnectorOptions } from "../connector.js";
import { abortedError, neverOpenedInfo } from "../opening-failure.js";
import { backoffDelay, randomFraction } from "../retry/backoff.js";
import type { PersistentControls } from "./persistent-controls.js";
import type { MessageSettings } from "./sender.js";
import type { PersistentSetup } from "./set-up.js";

const NO_LIMITS: WaitOptions = { signal: null, timeout: null };

type StartableCore = PersistentControls & {
  /** Begins to connect. */
  start(): void;
};

/** A call that waits for the core. */
interface HeldCall {
  readonly isReading: boolean;
  run(core: PersistentControls): void;
  /** The persistent connection has ended before. */
  end(): void;
}

export class LoadingCore<Options extends ConnectorOptions> implements PersistentControls {
  readonly #setup: PersistentSetup<Options>;
  readonly #load: () => Promise<() => StartableCore>;
  /** Null before the code is there. */
  #core: PersistentControls | null = null;
  readonly #held = new Set<HeldCall>();
  #isLoading = false;
  /** How often loading has failed. */
  #failures = 0;
  readonly #retry = new Alarm({ onAlarm: () => void this.#begin() });
  readonly #stopWatching: (() => void) | undefined;

  /** @param load loads the code, and returns a function that makes the core */
  constructor(setup: PersistentSetup<Options>, load: () => Promise<() => StartableCore>) {
    this.#setup = setup;
    this.#load = load;
    const { signal } = setup.persist;
    this.#stopWatching = setup.target.connector.watchReturns?.(() => void this.#begin());
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
    return (this.#core ?? this.#setup.sender).send(data, settings);
  }

  recv(options: WaitOptions): Promise<Message> {
    const { timeout } = options;
    const startedAt = this.#now();
    return this.#read(
      (core) => {
        const left = timeout === null ? null : Math.max(0, startedAt + timeout - this.#now());
        return core.recv({ ...options, timeout: left });
      },
      () => Promise.reject(this.#setup.lifecycle.closedError()),
      options,
    );
  }

  forEach(callback: (message: Message) => unknown, signal: AbortSignal | null): Promise<CloseInfo> {
    const { lifecycle } = this.#setup;
    return this.#read(
      (core) => core.forEach(callback, signal),
      () => lifecycle.closed,
      { signal, timeout: null },
    );
  }

  iterate(): AsyncIterator<Message, undefined> {
    if (this.#core !== null) return this.#core.iterate();
    const { lifecycle } = this.#setup;
    const done = { value: undefined, done: true } as const;
    let iterator: AsyncIterator<Message, undefined> | null = null;
    return {
      next: () =>
        this.#read(
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
    if ([...this.#held].some(({ isReading }) => isReading)) throw secondReaderError("discard()");
    this.#hold((core) => core.discard());
  }

  expectEnd(): void {
    if (this.#core !== null) this.#core.expectEnd();
    else this.#hold((core) => core.expectEnd());
  }

  probe(): void {
    if (this.#core !== null) this.#core.probe();
    else void this.#begin();
  }

  close(close: { readonly code: number; readonly reason: string }): void {
    if (this.#core !== null) this.#core.close(close);
    else this.#end(undefined);
  }

  terminate(): void {
    if (this.#core !== null) this.#core.terminate();
    else this.#end(undefined);
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
    if (this.#isOver || this.#isLoading || this.#core !== null) return;
    this.#isLoading = true;
    this.#timers.cancel(this.#retry);
    let makeCore: () => StartableCore;
    try {
      makeCore = await this.#load();
    } catch (error) {
      this.#onFailed(error);
      return;
    }
    const { keepWatch } = this.#setup;
    // Code that arrives while the page is being hidden must not use what is kept: the next page needs it.
    if (keepWatch?.isSuspended !== true) this.#continue(makeCore);
    else keepWatch.attach({ suspend: ignore, resume: () => this.#continue(makeCore) });
  }

  #onFailed(error: unknown): void {
    const { target, persist, connectionSettings } = this.#setup;
    this.#isLoading = false;
    if (this.#isOver) return;
    connectionSettings.logger?.warn("persistent connection waits for its code", { error });
    this.#failures++;
    const delay = backoffDelay(this.#failures, persist, randomFraction(target.connector.runtime.random));
    this.#timers.set(this.#retry, this.#now() + delay);
  }

  #continue(makeCore: () => StartableCore): void {
    if (this.#isOver) return;
    this.#stop();
    const core = (this.#core = makeCore());
    for (const call of this.#held) call.run(core);
    this.#held.clear();
    core.start();
  }

  /** Ends without having tried to connect. */
  #end(reason: unknown): void {
    if (this.#isOver) return;
    this.#stop();
    const { lifecycle, sender, connectionSettings, keepWatch } = this.#setup;
    const error = abortedError(null, reason);
    keepWatch?.stop();
    sender.end(error);
    const outcome: AttemptOutcome = {
      info: neverOpenedInfo(error, connectionSettings, lifecycle.now()),
      error,
    };
    lifecycle.end(outcome, null, () => {
      for (const call of this.#held) call.end();
      this.#held.clear();
    });
  }

  #stop(): void {
    this.#timers.cancel(this.#retry);
    unwatchAbort(this.#setup.persist.signal, this.#onAbort);
    this.#stopWatching?.();
  }

  readonly #onAbort = (): void => this.#end(this.#setup.persist.signal?.reason);

  #hold(run: (core: PersistentControls) => void): void {
    this.#held.add({ isReading: false, run, end: ignore });
  }

  /** Calls `read` once the core is there, or `atEnd` if the persistent connection has ended. */
  #read<Result>(
    read: (core: PersistentControls) => Promise<Result>,
    atEnd: () => Promise<Result>,
    { signal, timeout }: WaitOptions = NO_LIMITS,
  ): Promise<Result> {
    if (this.#core !== null) return read(this.#core);
    signal?.throwIfAborted();
    if (this.#isOver) return atEnd();
    const result = new Deferred<Result>();
    const onAbort = (): void => give(Promise.reject(signal?.reason));
    const alarm = new Alarm({ onAlarm: () => give(Promise.reject(noMessageError(timeout ?? 0))) });
    const give = (outcome: Promise<Result>): void => {
      this.#held.delete(call);
      unwatchAbort(signal, onAbort);
      this.#timers.cancel(alarm);
      result.resolve(outcome);
    };
    const call: HeldCall = {
      isReading: true,
      run: (core) => {
        try {
          give(read(core));
        } catch (error) {
          give(Promise.reject(error)); // For instance, another reader waits.
        }
      },
      end: () => give(atEnd()),
    };
    this.#held.add(call);
    watchAbort(signal, onAbort);
    if (timeout !== null) this.#timers.set(alarm, this.#now() + timeout);
    return result.promise;
  }
}
