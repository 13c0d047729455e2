// One attempt to connect, and the connection that it opened.

import type { CloseInfo } from "../connection/close-info.js";
import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import type { GoAwayCause } from "../connection/connection-core.js";
import { connectionClosed } from "../connection/errors.js";
import type { TransportEnds } from "../connection/open-observer.js";
import type { ConnectionSettings } from "../connection/options.js";
import type { SessionWrapper } from "../connection/session-carrier.js";
import type { CloseFrame } from "../shared/close-code.js";
import type { HoldfastError } from "../shared/errors.js";
import { abortedError, neverOpenedInfo, openingError } from "./opening-failure.js";
import type { ConnectorOptions } from "./connector.js";
import { openTarget, type TargetObserver } from "./open-target.js";
import type { Target } from "./target.js";

export interface AttemptOptions<Options extends ConnectorOptions> {
  readonly target: Target<Options>;
  readonly settings: ConnectionSettings;
}

/** How an attempt, or the connection that it opened, ended. */
export interface AttemptOutcome {
  readonly info: CloseInfo;
  /** The error of a failed attempt, or the ConnectionClosed of a connection that was open. */
  readonly error: Error;
}

/** Receives the steps of an attempt that has not ended. */
export interface AttemptObserver {
  /** As in OpenObserver. */
  readonly session?: SessionWrapper | null;
  /** The target's functions have returned. The URL is without user info. */
  onConnecting?(url: string): void;
  /** The transport to a server is up. Called again after each redirect. */
  onConnected?(ends: TransportEnds): void;
  /** The connection is open, and does not read yet: an observer that is attached now misses nothing. */
  onUpgraded?(connection: Connection): void;
}

/** The Close of a connection that the client abandons without waiting for an answer (RFC 6455 section 7.4.1). */
export const GOING_AWAY: CloseFrame = { code: 1001, reason: "" };

export class Attempt<Options extends ConnectorOptions> implements TargetObserver {
  readonly number: number;
  readonly #options: AttemptOptions<Options>;
  readonly #observer: AttemptObserver;
  readonly #aborter = new AbortController();
  #url: string | null = null;
  #spread: number | null = null;
  #connection: Connection | null = null;
  #isOver = false;

  constructor(number: number, options: AttemptOptions<Options>, observer: AttemptObserver) {
    this.number = number;
    this.#options = options;
    this.#observer = observer;
  }

  /** The URL, without user info; null before the target's functions have returned. */
  get url(): string | null {
    return this.#url;
  }

  /** As in `OpenObserver`; null if the server has set none. */
  get spread(): number | null {
    return this.#spread;
  }

  /** Null before it is open. */
  get connection(): Connection | null {
    return this.#connection;
  }

  /**
   * Starts to connect. Resolves when neither a socket nor a timer of the attempt remains. Calls nothing more once
   * `abandon()` has been called.
   *
   * @param onOpen called when the connection is open and reads: received messages wait in its inbox
   * @param onEnded called once, when the attempt or its connection has ended
   */
  async run(
    onOpen: (connection: Connection) => void,
    onEnded: (outcome: AttemptOutcome) => void,
  ): Promise<void> {
    const outcome = await this.#outcome(onOpen);
    if (this.#isOver) return;
    this.#isOver = true;
    onEnded(outcome);
  }

  /** Ends the attempt now, in any state. Its observer receives nothing more. */
  abandon(reason: unknown, close = GOING_AWAY, cause: GoAwayCause = "aborted"): AttemptOutcome {
    this.#isOver = true;
    if (this.#connection !== null) return closedOutcome(coreOf(this.#connection).goAway(close, cause));
    const outcome = neverOpened(abortedError(this.#url, reason), this.#options);
    this.#aborter.abort(reason);
    return outcome;
  }

  // TargetObserver

  get session(): SessionWrapper | null {
    return this.#observer.session ?? null;
  }

  onConnecting(url: string): void {
    this.#url = url;
    if (!this.#isOver) this.#observer.onConnecting?.(url);
  }

  onConnected(ends: TransportEnds): void {
    if (!this.#isOver) this.#observer.onConnected?.(ends);
  }

  onOpen(connection: Connection): void {
    this.#connection = connection;
    if (this.#isOver)
      coreOf(connection).goAway(GOING_AWAY); // Abandoned in the moment in which it opened.
    else this.#observer.onUpgraded?.(connection);
  }

  onSpread(width: number): void {
    this.#spread = width;
  }

  async #outcome(onOpen: (connection: Connection) => void): Promise<AttemptOutcome> {
    let connection: Connection;
    try {
      connection = await openTarget(this.#options.target, this.number, this.#aborter.signal, this);
    } catch (cause) {
      return neverOpened(openingError(cause), this.#options);
    }
    if (!this.#isOver) onOpen(connection);
    return closedOutcome(await coreOf(connection).whenEnded);
  }
}

function closedOutcome(info: CloseInfo): AttemptOutcome {
  return { info, error: connectionClosed(info) };
}

/** The outcome of an attempt that opened no connection. */
export function neverOpened<Options extends ConnectorOptions>(
  error: HoldfastError,
  { target, settings }: AttemptOptions<Options>,
): AttemptOutcome {
  return { info: neverOpenedInfo(error, settings, target.connector.runtime.clock.wallNow()), error };
}
