// The loop that keeps a client connected: decides when to connect, runs each attempt, and waits between attempts, until
// this side stops it or a retry is pointless. `persist()`, `reconnect()`, `connectPersistent()` and single attempts of a
// `Client` all use it. The handler decides how the connections are used.

import type { CloseInfo } from "../connection/close-info.js";
import type { Connection } from "../connection/connection.js";
import type { GoAwayCause } from "../connection/connection-core.js";
import type { CloseFrame } from "../shared/close-code.js";
import { errorOf } from "../shared/thrown.js";
import {
  Attempt,
  neverOpened,
  type AttemptObserver,
  type AttemptOptions,
  type AttemptOutcome,
} from "./attempt.js";
import type { ConnectorOptions } from "./connector.js";
import { abortedError } from "./opening-failure.js";
import { BackoffTimer } from "./retry/backoff-timer.js";
import type { PersistSettings } from "./retry/persist-options.js";
import { Race, type RaceHandler, type RaceObserver } from "./race.js";
import { RetryLog } from "./retry/retry-log.js";
import { RetryPolicy, type Retry } from "./retry/retry-policy.js";
import { StopSignals } from "./stop-signals.js";

export interface SupervisorOptions<Options extends ConnectorOptions> extends AttemptOptions<Options> {
  /** Null for a single attempt. */
  readonly persist: PersistSettings | null;
  /** The number of attempts that have failed before. @default 0 */
  readonly failures?: number;
  /** Any of them ends the loop when it aborts, as does the signal in `persist`. */
  readonly signals?: readonly (AbortSignal | null)[];
}

/** Receives each step. `onOver` comes last and exactly once. Handlers may call any method of the supervisor. */
export interface SupervisorHandler extends AttemptObserver {
  /** An attempt starts. */
  onAttempt(attempt: number): void;
  /** The attempt opened a connection. It already reads: received messages wait in its inbox. */
  onOpen?(connection: Connection, attempt: number): void;
  /** The attempt failed, or its connection ended: the next attempt is due after `retry.delay`. */
  onWaiting(outcome: AttemptOutcome, retry: Retry): void;
  /** The delay has passed: `begin()` starts the next attempt. */
  onDue(): void;
  /**
   * A race has replaced the connection: its second socket takes its place. `onOpen` follows, unless that socket fails.
   * Only after `race()`.
   */
  onReplaced?(outcome: AttemptOutcome, attempt: number): void;
  /**
   * No other attempt follows.
   *
   * @param outcome of the last attempt
   * @param failure the error that ended the loop: the outcome's, or one that `retryable` threw; null if this side stopped
   */
  onOver(outcome: AttemptOutcome, failure: Error | null): void;
  /** The network, or the user, may have returned. */
  onReturn?(): void;
}

/** The methods that a handler may call. */
export type SupervisorControls = Pick<
  Supervisor<ConnectorOptions>,
  "begin" | "cancelRace" | "close" | "failAttempt" | "race" | "spread" | "stop" | "suspend" | "terminate"
>;

/** The Close of a connection that another socket replaces. */
const REPLACED: CloseFrame = { code: 1001, reason: "suspected and replaced" };

export class Supervisor<Options extends ConnectorOptions> implements RaceHandler<Options> {
  readonly #options: SupervisorOptions<Options>;
  readonly #handler: SupervisorHandler;
  /** Null for a single attempt. */
  readonly #policy: RetryPolicy | null;
  readonly #log: RetryLog;
  readonly #delay: BackoffTimer<Options>;
  readonly #stopSignals: StopSignals;
  /** Stops watching for the return of the network. */
  #stopWatching: (() => void) | undefined;
  #attempt: Attempt<Options> | null = null;
  /** The second socket beside a suspected connection; null for none. */
  #race: Race<Options> | null = null;
  #lastOutcome: AttemptOutcome | null = null;
  #gone: Promise<void> = Promise.resolve();
  #hasBegun = false;
  #isDue = true;
  /** This side ends the loop: no attempt follows. */
  #isStopping = false;
  #isOver = false;

  constructor(options: SupervisorOptions<Options>, handler: SupervisorHandler) {
    this.#options = options;
    this.#handler = handler;
    const { target, settings, persist, failures, signals = [] } = options;
    this.#policy = persist && new RetryPolicy(persist, target.connector.runtime.random, failures);
    this.#log = new RetryLog(persist && settings.logger);
    this.#delay = new BackoffTimer(target.connector, () => this.#onDue());
    this.#stopSignals = new StopSignals([...signals, persist?.signal ?? null], (reason) => this.stop(reason));
  }

  /** Whether the next attempt is due: the first one, or one whose delay has passed. */
  get isDue(): boolean {
    return this.#isDue && !this.#isOver;
  }

  /** Resolves when neither a socket nor a timer of the newest attempt remains. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  /** As in `OpenObserver`, for the current attempt; null if the server has set none. */
  get spread(): number | null {
    return this.#attempt?.spread ?? null;
  }

  /** Starts the next attempt now, even before it is due. Does nothing during an attempt or while connected. */
  begin(): void {
    this.#watchSignals();
    if (this.#isOver || this.#attempt !== null) return;
    this.#isDue = false;
    this.#delay.cancel();
    const attempt = new Attempt(this.#policy?.attempt ?? 1, this.#options, this.#handler);
    this.#attempt = attempt;
    this.#handler.onAttempt(attempt.number);
    if (this.#attempt !== attempt) return; // The handler has stopped the supervisor, or failed the attempt.
    this.#log.onAttempt(attempt.number);
    this.#gone = attempt.run(
      (connection) => this.#opened(connection, attempt.number),
      (outcome) => this.#ended(attempt, outcome),
    );
  }

  /** Ends the attempt or its connection with `error`. The retry policy decides what follows, as after any failure. */
  failAttempt(error: Error, close?: CloseFrame, cause?: GoAwayCause): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    const { info } = attempt.abandon(error, close, cause);
    this.#ended(attempt, { info, error });
  }

  /**
   * Opens a second socket beside the open connection, and resumes the session on it if the connection in use has not
   * answered by then. Does nothing during another race.
   */
  race(observer: RaceObserver): void {
    const { session = null } = this.#handler;
    const current = this.#attempt;
    if (this.#race !== null || this.#isStopping || session === null || this.#policy === null) return;
    if (current?.connection?.state !== "open") return;
    this.#log.onRace(current.url);
    const race = new Race(this.#policy.attempt, this.#options, session, observer, this);
    this.#race = race;
    const gone = race.run();
    this.#gone = Promise.all([this.#gone, gone]).then(() => undefined);
  }

  /** The connection in use has answered. */
  cancelRace(): void {
    const race = this.#race;
    this.#race = null;
    race?.attempt.abandon(undefined);
    race?.observer.onRaceOver();
  }

  // RaceHandler

  takeOver(race: Race<Options>): boolean {
    const current = this.#attempt;
    if (current === race.attempt) return true; // The first connection has ended meanwhile.
    if (this.#race !== race || current === null) return false;
    if (!race.observer.mayTakeOver()) {
      this.cancelRace();
      return false;
    }
    this.#race = null;
    this.#attempt = race.attempt;
    const outcome = current.abandon(undefined, REPLACED);
    this.#lastOutcome = outcome;
    this.#policy?.afterReplacement(outcome.info);
    this.#promote(race, outcome);
    return this.#attempt === race.attempt; // Unless the handler has stopped the supervisor.
  }

  onRaceOpen(race: Race<Options>, connection: Connection): void {
    // Without a session the second socket has not taken over: it is of no use.
    if (this.#race === race) this.cancelRace();
    else if (this.#attempt === race.attempt) this.#opened(connection, race.attempt.number);
  }

  onRaceEnded(race: Race<Options>, outcome: AttemptOutcome): void {
    if (this.#attempt === race.attempt) {
      this.#ended(race.attempt, outcome);
    } else if (this.#race === race) {
      this.#race = null;
      race.observer.onRaceOver();
    }
  }

  #promote(race: Race<Options>, outcome: AttemptOutcome): void {
    this.#handler.onReplaced?.(outcome, race.attempt.number);
    race.observer.onRaceOver();
  }

  /**
   * Ends the loop. An open connection gets a closing handshake; an attempt or a delay ends at once. Returns the end of
   * the open connection; null if there is none.
   */
  close({ code, reason }: CloseFrame): Promise<CloseInfo> | null {
    this.#isStopping = true;
    this.cancelRace();
    const connection = this.#attempt?.connection ?? null;
    if (connection !== null) return connection.close(code, reason);
    this.stop(undefined);
    return null;
  }

  /** Ends the loop. An open connection ends without a Close. */
  terminate(): void {
    this.#isStopping = true;
    this.cancelRace();
    const connection = this.#attempt?.connection ?? null;
    if (connection === null) this.stop(undefined);
    else connection.terminate();
  }

  /** Ends the loop now. An open connection sends a Close and does not wait for the answer. */
  stop(reason: unknown): void {
    if (this.#isOver) return;
    this.#isStopping = true;
    const attempt = this.#attempt;
    this.#attempt = null;
    if (attempt !== null) this.#ended(attempt, attempt.abandon(reason));
    else this.#finish(this.#lastOutcome ?? neverOpened(abortedError(null, reason), this.#options), null);
  }

  /** Ends the attempt, its connection, or the delay. `begin()` continues. Returns what ended; null for a delay. */
  suspend(): AttemptOutcome | null {
    this.cancelRace();
    const attempt = this.#attempt;
    this.#attempt = null;
    this.#delay.cancel();
    return attempt === null ? null : (this.#lastOutcome = attempt.abandon(undefined));
  }

  #watchSignals(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const handler = this.#handler;
    if (handler.onReturn !== undefined) {
      this.#stopWatching = this.#options.target.connector.watchReturns?.(() => handler.onReturn?.());
    }
    this.#stopSignals.watch();
  }

  #onDue(): void {
    this.#isDue = true;
    this.#handler.onDue();
  }

  #opened(connection: Connection, attempt: number): void {
    if (!this.#isStopping) this.#handler.onOpen?.(connection, attempt);
  }

  #ended(attempt: Attempt<Options>, outcome: AttemptOutcome): void {
    this.#attempt = null;
    if (this.#isOver) return; // Stopped by code that ran while the attempt was being abandoned.
    this.#lastOutcome = outcome;
    if (this.#isStopping) this.#finish(outcome, null);
    else this.#decide(attempt, outcome);
  }

  /** Whether another attempt follows. `retryable` may throw, and may stop the loop. */
  #decide({ url, spread }: Attempt<Options>, outcome: AttemptOutcome): void {
    let retry: Retry | null;
    try {
      retry = this.#policy?.afterEnd(outcome, spread) ?? null;
    } catch (error) {
      // The application needs its own error more than the error that `retryable` was to judge.
      this.#finish(outcome, errorOf(error));
      return;
    }
    if (this.#isOver) return;
    if (retry === null) {
      this.#log.onGivenUp(url, outcome);
      this.#finish(outcome, outcome.error);
      return;
    }
    const race = this.#race;
    if (race !== null && !retry.requestedByServer) {
      this.#race = null;
      this.#attempt = race.attempt;
      this.#promote(race, outcome);
      return;
    }
    this.cancelRace();
    this.#log.onRetry(url, outcome, retry);
    if (this.#isOver as boolean) return; // Stopped by the logger.
    this.#delay.start(retry, this.#options.target.connector.runtime.clock.now());
    this.#handler.onWaiting(outcome, retry);
  }

  #finish(outcome: AttemptOutcome, failure: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.cancelRace();
    this.#delay.cancel();
    this.#stopSignals.stop();
    this.#stopWatching?.();
    this.#handler.onOver(outcome, failure);
  }
}
