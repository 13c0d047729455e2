// Keeps a connection: opens one, waits when it is lost, opens the next; or stops where that makes no sense. What is
// done with the connections is its host's business.

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
import { RetryLog } from "./retry/retry-log.js";
import { RetryPolicy, type AttemptOutcome, type Retry } from "./retry/retry-policy.js";
import { BackoffTimer } from "./retry/backoff-timer.js";
import { openTarget, type Target, type TargetObserver } from "./target.js";
import { abortedError, openingError, unopenedInfo } from "./unopened.js";

export interface SupervisorOptions<Options extends ConnectorOptions> {
  readonly target: Target<Options>;
  readonly settings: ConnectionSettings;
  readonly persist: PersistSettings;
}

/** Is told of each step; `onOver` comes last and exactly once. Any method of the supervisor may be called meanwhile. */
export interface SupervisorHandler {
  /** An attempt begins. */
  onAttempt(attempt: number): void;
  /** It led to an open connection, which has begun to read: what it received waits in its inbox. */
  onOpen(connection: Connection, attempt: number): void;
  /** The attempt, or its connection, is over: the next one is due in a while. */
  onWaiting(ending: AttemptOutcome, retry: Retry): void;
  /** The wait is over: `begin()` makes the next attempt. */
  onDue(): void;
  /** It is over, and nothing follows. `isFatal` where that was not our own wish. */
  onOver(ending: AttemptOutcome, isFatal: boolean): void;
}

/** To the peer of a connection that is left without waiting for an answer. */
const GOING_AWAY: CloseFrame = { code: 1001, reason: "" };

/** One attempt, and the connection that it led to. What happens to one that is not the current one any more is no news. */
interface Attempt {
  readonly number: number;
  readonly aborter: AbortController;
  url: string | null;
  connection: Connection | null;
  /** As in `OpenObserver`; null where the server has not said. */
  spread: number | null;
}

/** What its host may ask of it. */
export type SupervisorControls = Pick<
  Supervisor<ConnectorOptions>,
  "begin" | "close" | "giveUp" | "stop" | "terminate"
>;

export class Supervisor<Options extends ConnectorOptions> {
  readonly #options: SupervisorOptions<Options>;
  readonly #host: SupervisorHandler;
  readonly #policy: RetryPolicy;
  readonly #log: RetryLog;
  readonly #wait: BackoffTimer<Options>;
  #current: Attempt | null = null;
  #lastEnding: AttemptOutcome | null = null;
  #isLeaving = false;
  #isOver = false;

  constructor(options: SupervisorOptions<Options>, host: SupervisorHandler) {
    this.#options = options;
    this.#host = host;
    this.#policy = new RetryPolicy(options.persist, options.target.connector.runtime.random);
    this.#log = new RetryLog(options.settings.logger);
    this.#wait = new BackoffTimer(options.target.connector, () => this.#host.onDue());
  }

  /** Makes the next attempt now, also before it is due. Does nothing while there is one, or a connection. */
  begin(): void {
    if (this.#isOver || this.#current !== null) return;
    this.#wait.end();
    const { attempt: number } = this.#policy;
    const aborter = new AbortController();
    const attempt: Attempt = { number, aborter, url: null, connection: null, spread: null };
    this.#current = attempt;
    this.#host.onAttempt(number);
    if (this.#current !== attempt) return; // The host has thought better of it.
    this.#log.onAttempt(number);
    openTarget(this.#options.target, number, attempt.aborter.signal, observer(attempt)).then(
      (connection) => this.#opened(attempt, connection),
      (cause: unknown) => this.#failed(attempt, cause),
    );
  }

  /** Ends the attempt, or the connection, for `error`, as if it had ended by itself. */
  giveUp(error: Error, close: CloseFrame = GOING_AWAY, cause: GoAwayCause = "aborted"): void {
    const attempt = this.#current;
    if (attempt === null) return;
    this.#current = null;
    this.#ended(attempt, { info: this.#leave(attempt, error, close, cause), error });
  }

  /** Ends all: an open connection by the closing handshake, anything else at once. */
  close({ code, reason }: CloseFrame): void {
    this.#isLeaving = true;
    const connection = this.#current?.connection ?? null;
    if (connection === null) this.stop(undefined);
    else void connection.close(code, reason);
  }

  /** Ends all, an open connection without a Close. */
  terminate(): void {
    this.#isLeaving = true;
    const connection = this.#current?.connection ?? null;
    if (connection === null) this.stop(undefined);
    else connection.terminate();
  }

  /** Ends all now: the peer of an open connection is told, and not waited for. */
  stop(reason: unknown): void {
    if (this.#isOver) return;
    this.#isLeaving = true;
    const attempt = this.#current;
    if (attempt === null) {
      this.#finish(this.#lastEnding ?? this.#endingOf(abortedError(null, reason)), false);
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
    this.#host.onOpen(connection, attempt.number);
  }

  #failed(attempt: Attempt, cause: unknown): void {
    if (this.#current === attempt) this.#ended(attempt, this.#endingOf(openingError(cause)));
  }

  /** Nothing of it is left when this returns, but for a socket on its way down. */
  #leave(attempt: Attempt, reason: unknown, close: CloseFrame, cause: GoAwayCause): CloseInfo {
    if (attempt.connection !== null) return coreOf(attempt.connection).goAway(close, cause);
    const { info } = this.#endingOf(abortedError(attempt.url, reason));
    attempt.aborter.abort(reason);
    return info;
  }

  #ended({ url, spread }: Attempt, ending: AttemptOutcome): void {
    this.#current = null;
    this.#lastEnding = ending;
    if (this.#isLeaving) {
      this.#finish(ending, false);
      return;
    }
    let retry: Retry | null;
    try {
      retry = this.#policy.afterEnd(ending, spread);
    } catch (error) {
      // Thrown by `retryable`: the application's own, and of more interest to it than what it was asked about.
      this.#finish({ info: ending.info, error: errorOf(error) }, true);
      return;
    }
    if (retry === null) {
      this.#log.onGivenUp(url, ending);
      this.#finish(ending, true);
      return;
    }
    this.#log.onRetry(url, ending, retry);
    this.#wait.begin(retry, this.#options.target.connector.runtime.clock.now());
    this.#host.onWaiting(ending, retry);
  }

  #finish(ending: AttemptOutcome, isFatal: boolean): void {
    this.#isOver = true;
    this.#wait.end();
    this.#host.onOver(ending, isFatal);
  }

  #endingOf(error: ReturnType<typeof openingError>): AttemptOutcome {
    const { target, settings } = this.#options;
    return { info: unopenedInfo(error, settings, target.connector.runtime.clock.wallNow()), error };
  }
}

function observer(attempt: Attempt): TargetObserver {
  return {
    onConnecting: (url) => (attempt.url = url),
    onConnected(_ends: TransportEnds): void {
      // Nobody asks.
    },
    onOpen(): void {
      // The promise has it.
    },
    onSpread: (width) => (attempt.spread = width),
  };
}
