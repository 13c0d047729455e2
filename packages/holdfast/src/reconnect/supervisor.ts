// The reconnect loop: opens a connection, waits after it is lost, and opens the next one, until a retry is pointless.
// The handler decides how the connections are used.

import type { CloseInfo } from "../connection/close-info.js";
import { coreOf, type Connection } from "../connection/connection.js";
import { connectionClosed } from "../connection/errors.js";
import type { GoAwayCause } from "../connection/connection-core.js";
import type { ConnectionSettings } from "../connection/options.js";
import type { CloseFrame } from "../shared/close-code.js";
import { errorOf } from "../shared/thrown.js";
import type { ConnectorOptions } from "./connector.js";
import type { TransportEnds } from "../connection/open-observer.js";
import type { PersistSettings } from "./retry/persist-options.js";
import type { AttemptOutcome, Retry } from "./retry/retry-policy.js";
import { RetryScheduler } from "./retry/retry-scheduler.js";
import { openTarget, type Target, type TargetObserver } from "./target.js";
import { abortedError, openingError, neverOpenedInfo } from "./opening-failure.js";

export interface SupervisorOptions<Options extends ConnectorOptions> {
  readonly target: Target<Options>;
  readonly settings: ConnectionSettings;
  readonly persist: PersistSettings;
}

/** Receives each step. `onOver` comes last and exactly once. Handlers may call any method of the supervisor. */
export interface SupervisorHandler {
  /** An attempt starts. */
  onAttempt(attempt: number): void;
  /** The attempt opened a connection. It already reads: received messages wait in its inbox. */
  onOpen(connection: Connection, attempt: number): void;
  /** The attempt failed, or its connection ended: the next attempt is due after `retry.delay`. */
  onWaiting(outcome: AttemptOutcome, retry: Retry): void;
  /** The delay has passed: `begin()` starts the next attempt. */
  onDue(): void;
  /** The last attempt has ended, and no other follows. `isFatal`: because of an error, not because this side stopped. */
  onOver(outcome: AttemptOutcome, isFatal: boolean): void;
}

/** The Close that is sent when this side does not wait for an answer. */
const GOING_AWAY: CloseFrame = { code: 1001, reason: "" };

/** One attempt and the connection that it opened. Once it is no longer the current attempt, its events are ignored. */
interface Attempt {
  readonly number: number;
  readonly aborter: AbortController;
  url: string | null;
  connection: Connection | null;
  /** As in `OpenObserver`; null if the server has set none. */
  spread: number | null;
}

/** The methods that a handler may call. */
export type SupervisorControls = Pick<
  Supervisor<ConnectorOptions>,
  "begin" | "close" | "failAttempt" | "stop" | "terminate"
>;

export class Supervisor<Options extends ConnectorOptions> {
  readonly #options: SupervisorOptions<Options>;
  readonly #handler: SupervisorHandler;
  readonly #retries: RetryScheduler<Options>;
  #current: Attempt | null = null;
  #lastOutcome: AttemptOutcome | null = null;
  /** This side ends the loop: no attempt follows. */
  #isStopping = false;
  #isOver = false;

  constructor(options: SupervisorOptions<Options>, handler: SupervisorHandler) {
    this.#options = options;
    this.#handler = handler;
    const { target, settings, persist } = options;
    this.#retries = new RetryScheduler(target.connector, persist, settings.logger, () => handler.onDue());
  }

  /** Starts the next attempt now, even before it is due. Does nothing during an attempt or while connected. */
  begin(): void {
    if (this.#isOver || this.#current !== null) return;
    this.#retries.cancel();
    const { attempt: number } = this.#retries;
    const aborter = new AbortController();
    const attempt: Attempt = { number, aborter, url: null, connection: null, spread: null };
    this.#current = attempt;
    this.#handler.onAttempt(number);
    if (this.#current !== attempt) return; // The handler has stopped the supervisor, or failed the attempt.
    this.#retries.onAttempt(number);
    openTarget(this.#options.target, number, attempt.aborter.signal, observerOf(attempt)).then(
      (connection) => this.#opened(attempt, connection),
      (cause: unknown) => this.#failed(attempt, cause),
    );
  }

  /** Ends the attempt or its connection with `error`. The retry policy decides what follows, as after any failure. */
  failAttempt(error: Error, close: CloseFrame = GOING_AWAY, cause: GoAwayCause = "aborted"): void {
    const attempt = this.#current;
    if (attempt === null) return;
    this.#current = null;
    this.#ended(attempt, { info: this.#leave(attempt, error, close, cause), error });
  }

  /** Ends the loop. An open connection gets a closing handshake; an attempt or a delay ends at once. */
  close({ code, reason }: CloseFrame): void {
    this.#isStopping = true;
    const connection = this.#current?.connection ?? null;
    if (connection === null) this.stop(undefined);
    else void connection.close(code, reason);
  }

  /** Ends the loop. An open connection ends without a Close. */
  terminate(): void {
    this.#isStopping = true;
    const connection = this.#current?.connection ?? null;
    if (connection === null) this.stop(undefined);
    else connection.terminate();
  }

  /** Ends the loop now. An open connection sends a Close and does not wait for the answer. */
  stop(reason: unknown): void {
    if (this.#isOver) return;
    this.#isStopping = true;
    const attempt = this.#current;
    if (attempt === null) {
      this.#finish(this.#lastOutcome ?? this.#outcomeOf(abortedError(null, reason)), false);
      return;
    }
    this.#current = null;
    const info = this.#leave(attempt, reason, GOING_AWAY, "aborted");
    this.#ended(attempt, { info, error: info.error ?? connectionClosed(info) });
  }

  #opened(attempt: Attempt, connection: Connection): void {
    if (this.#current !== attempt) {
      coreOf(connection).goAway(GOING_AWAY); // Given up in the moment in which it opened.
      return;
    }
    attempt.connection = connection;
    void coreOf(connection).whenEnded.then((info) => {
      if (this.#current === attempt) this.#ended(attempt, { info, error: connectionClosed(info) });
    });
    this.#handler.onOpen(connection, attempt.number);
  }

  #failed(attempt: Attempt, cause: unknown): void {
    if (this.#current === attempt) this.#ended(attempt, this.#outcomeOf(openingError(cause)));
  }

  /** Ends the attempt. After this call only a closing socket remains. */
  #leave(attempt: Attempt, reason: unknown, close: CloseFrame, cause: GoAwayCause): CloseInfo {
    if (attempt.connection !== null) return coreOf(attempt.connection).goAway(close, cause);
    const { info } = this.#outcomeOf(abortedError(attempt.url, reason));
    attempt.aborter.abort(reason);
    return info;
  }

  #ended({ url, spread }: Attempt, outcome: AttemptOutcome): void {
    this.#current = null;
    this.#lastOutcome = outcome;
    if (this.#isStopping) {
      this.#finish(outcome, false);
      return;
    }
    let retry: Retry | null;
    try {
      const now = this.#options.target.connector.runtime.clock.now();
      retry = this.#retries.schedule(url, outcome, spread, now);
    } catch (error) {
      // `retryable` threw. The application needs its own error more than the error that `retryable` was to judge.
      this.#finish({ info: outcome.info, error: errorOf(error) }, true);
      return;
    }
    if (retry === null) this.#finish(outcome, true);
    else this.#handler.onWaiting(outcome, retry);
  }

  #finish(outcome: AttemptOutcome, isFatal: boolean): void {
    this.#isOver = true;
    this.#retries.cancel();
    this.#handler.onOver(outcome, isFatal);
  }

  #outcomeOf(error: ReturnType<typeof openingError>): AttemptOutcome {
    const { target, settings } = this.#options;
    return { info: neverOpenedInfo(error, settings, target.connector.runtime.clock.wallNow()), error };
  }
}

function observerOf(attempt: Attempt): TargetObserver {
  return {
    onConnecting: (url) => (attempt.url = url),
    onConnected(_ends: TransportEnds): void {
      // Only event streams report this.
    },
    onOpen(): void {
      // The promise of `openTarget()` delivers the connection.
    },
    onSpread: (width) => (attempt.spread = width),
  };
}
