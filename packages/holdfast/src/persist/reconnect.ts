// `reconnect()`: one open connection after the other, for those who would rather hold a connection than events.

import { leave, type Connection } from "../connection/connection.js";
import { ConcurrencyError, ConnectionClosed, connectionClosed } from "../connection/errors.js";
import type { ConnectionSettings } from "../connection/options.js";
import { Alarm, type AlarmHandler } from "../connection/timer-queue.js";
import type { ConnectorOptions, TransportEnds } from "./connector.js";
import { Interruptions } from "./interruptions.js";
import type { PersistSettings } from "./retry/persist-options.js";
import { RetryPolicy, type Ending } from "./retry/retry-policy.js";
import { openTarget, type Target, type TargetObserver } from "./target.js";
import { openingError, unopenedInfo } from "./unopened.js";

export interface ReconnectSettings<Options extends ConnectorOptions> {
  readonly target: Target<Options>;
  readonly settings: ConnectionSettings;
  readonly persist: PersistSettings;
}

/** To the peer of a connection that is left without waiting for an answer. */
const GOING_AWAY = { code: 1001, reason: "" };

type Result = IteratorResult<Connection, undefined>;

const DONE: Result = { value: undefined, done: true };

export class Reconnection<Options extends ConnectorOptions>
  implements AsyncIterableIterator<Connection, undefined>, AlarmHandler
{
  readonly #options: ReconnectSettings<Options>;
  readonly #policy: RetryPolicy;
  readonly #interruptions: Interruptions;
  /** Aborts when all is over: it stops an attempt and wakes who waits. */
  readonly #over = new AbortController();
  readonly #alarm = new Alarm(this);
  /** The one that was handed out last. */
  #current: Connection | null = null;
  #hasBegun = false;
  #isBusy = false;
  #wakeUp: () => void = () => undefined;
  /** Ends listening for what cuts a wait short. */
  #stopWatching: (() => void) | undefined;

  constructor(options: ReconnectSettings<Options>) {
    const { persist, target } = options;
    this.#options = options;
    this.#policy = new RetryPolicy(persist, target.connector.runtime.random);
    const signals = persist.signal === null ? [] : [persist.signal];
    this.#interruptions = new Interruptions(signals, (reason) => this.#end(reason));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next open connection. The one before is closed first, if it is not over. */
  async next(): Promise<Result> {
    if (this.#isBusy) {
      throw new ConcurrencyError("next() was called while another next() was waiting: it opens a connection");
    }
    this.#isBusy = true;
    try {
      return await this.#next();
    } catch (error) {
      this.#end(error);
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }

  /** The body is left: its connection is closed, and nothing of it is left when the promise resolves. */
  async return(): Promise<Result> {
    const connection = this.#current;
    this.#current = null;
    await connection?.close();
    this.#end(undefined);
    return DONE;
  }

  onAlarm(): void {
    this.#wakeUp();
  }

  async #next(): Promise<Result> {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#interruptions.watch();
    }
    let ending = await this.#endOfCurrent();
    for (;;) {
      if (ending !== null) await this.#backOff(ending);
      if (this.#isOver()) return DONE;
      try {
        return { value: await this.#open(), done: false };
      } catch (cause) {
        if (this.#isOver()) return DONE;
        ending = this.#failedEnding(cause);
      }
    }
  }

  /** Closes the connection that was handed out last; null where there is none. */
  async #endOfCurrent(): Promise<Ending | null> {
    if (this.#current === null) return null;
    const info = await this.#current.close();
    this.#current = null;
    return { info, error: connectionClosed(info) };
  }

  /** @throws what makes no sense to try again after */
  async #backOff(ending: Ending): Promise<void> {
    if (this.#isOver()) return;
    const retry = this.#policy.afterEnd(ending);
    if (retry === null) {
      this.#end(undefined);
      // A connection that ended as it should, and is not to be followed by another, is no failure.
      if (ending.error instanceof ConnectionClosed && ending.info.ok) return;
      throw ending.error;
    }
    const { connector } = this.#options.target;
    const { clock, timers } = connector.runtime;
    await new Promise<void>((resolve) => {
      this.#wakeUp = resolve;
      timers.set(this.#alarm, clock.now() + retry.delay);
      // A server that asked for the wait is not asked earlier, whatever the network does.
      if (!retry.isAsked) this.#stopWatching = connector.watchReturns?.(resolve);
    });
    timers.cancel(this.#alarm);
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  async #open(): Promise<Connection> {
    const { target } = this.#options;
    const connection = await openTarget(target, this.#policy.attempt, this.#over.signal, UNWATCHED);
    if (this.#isOver()) {
      connection[leave](GOING_AWAY); // Given up in the moment in which it opened.
      this.#over.signal.throwIfAborted();
    }
    this.#current = connection;
    return connection;
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  #failedEnding(cause: unknown): Ending {
    const { target, settings } = this.#options;
    const error = openingError(cause);
    return { info: unopenedInfo(error, settings, target.connector.runtime.clock.wallNow()), error };
  }

  #end(reason: unknown): void {
    this.#interruptions.stop();
    this.#options.target.connector.runtime.timers.cancel(this.#alarm);
    this.#over.abort(reason);
    this.#current?.[leave](GOING_AWAY);
    this.#wakeUp();
  }
}

const UNWATCHED: TargetObserver = {
  onConnecting(): void {
    // Nobody asks.
  },
  onConnected(_ends: TransportEnds): void {
    // Nobody asks.
  },
  onOpen(): void {
    // The promise has it.
  },
};
