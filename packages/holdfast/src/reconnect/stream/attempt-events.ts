// Turns one attempt into events: from the first step of connecting to the end of the connection.

import type { CloseInfo } from "../../connection/close-info.js";
import { coreOf, type Connection } from "../../connection/connection.js";
import { connectionClosed } from "../../connection/errors.js";
import type { Message, Unread } from "../../connection/inbox.js";
import { ownBytes } from "../../connection/unread-queue.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { Runtime } from "../../connection/runtime.js";
import type { ConnectionObserver, ObservedConnection } from "../../connection/connection-observer.js";
import {
  InvalidHeaderError,
  InvalidStatusError,
  InvalidUpgradeError,
  NegotiationError,
  type HoldfastError,
} from "../../shared/errors.js";
import { TextBytes } from "../../shared/text-bytes.js";
import { CloseAnswer } from "../../connection/close-answer.js";
import type { ConnectorOptions } from "../connector.js";
import type { TransportEnds } from "../../connection/open-observer.js";
import type { ClientEvent, Close, EventTime } from "../events.js";
import { Poller } from "./poller.js";
import type { AttemptOutcome } from "../retry/retry-policy.js";
import { openTarget, type Target, type TargetObserver } from "../target.js";
import { ReceivedText, ReceivedTextBytes } from "./text-event.js";
import { abortedError, openingError, neverOpenedInfo } from "../opening-failure.js";

/** The stream that an attempt belongs to. */
export interface AttemptEventsHandler {
  /** Whether the consumer waits for the next event. */
  readonly isWaiting: boolean;
  /** Whether the queued messages exceed the limits. */
  readonly isFull: boolean;
  /** The queued messages. */
  readonly unread: Unread;
  push(event: ClientEvent): void;
  /** The attempt has ended. Called once. */
  onAttemptEnded(outcome: AttemptOutcome, time: EventTime): void;
}

export interface AttemptOptions<Options extends ConnectorOptions> {
  readonly target: Target<Options>;
  readonly settings: ConnectionSettings;
  readonly pollInterval: number | null;
  /** As in `ConnectingEvent`. */
  readonly attempt: number;
}

/** The Close when a consumer leaves the loop: "such as […] a browser having navigated away" (RFC 6455 section 7.4.1). */
const GOING_AWAY = { code: 1001, reason: "" };

export class AttemptEvents<Options extends ConnectorOptions> implements TargetObserver, ConnectionObserver {
  readonly #stream: AttemptEventsHandler;
  readonly #options: AttemptOptions<Options>;
  readonly #runtime: Runtime;
  readonly #aborter = new AbortController();
  #url: string | null = null;
  #isConnecting = false;
  #isConnected = false;
  #isOver = false;
  #connection: Connection | null = null;
  #tapped: ObservedConnection | null = null;
  #poller: Poller | null = null;
  #closeAnswer: CloseAnswer | null = null;
  #isPaused = false;
  #spread: number | null = null;
  /** When the bytes of the newest event were read. */
  #newestRead: EventTime = { at: -Infinity, receivedAt: 0 };
  readonly #gone: Promise<void>;
  #resolveGone: () => void = () => undefined;

  constructor(stream: AttemptEventsHandler, options: AttemptOptions<Options>) {
    this.#stream = stream;
    this.#options = options;
    this.#runtime = options.target.connector.runtime;
    this.#gone = new Promise((resolve) => (this.#resolveGone = resolve));
  }

  /** The connection; null before it opens. */
  get connection(): Connection | null {
    return this.#connection;
  }

  /** The URL, without user info; null before all functions of the target have returned. */
  get url(): string | null {
    return this.#url;
  }

  /** As in `OpenObserver`; null if the server has set none. */
  get spread(): number | null {
    return this.#spread;
  }

  /** Resolves when nothing of the attempt remains: no socket, no timer. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  begin(): void {
    const { target, attempt } = this.#options;
    openTarget(target, attempt, this.#aborter.signal, this).then(
      () => undefined, // `onOpen` has received it.
      (error: unknown) => {
        this.#fail(openingError(error));
        this.#resolveGone();
      },
    );
  }

  /** The consumer has finished with this event and requests the next one. */
  onConsumed(event: ClientEvent): void {
    if (event.type === "closing") this.#closeAnswer?.send();
  }

  /** The event is delivered to the consumer. */
  onDelivered(event: ClientEvent): void {
    if (event.type === "closing") this.#closeAnswer?.allowTime();
  }

  /** The queue is below the low-water mark: reading resumes. */
  onBelowLowWater(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#tapped?.resumeReading();
  }

  /** Ends the attempt now, in any state. `onAttemptEnded` is called before this returns. */
  abandon(reason: unknown): void {
    if (this.#isOver) return;
    if (this.#connection !== null) {
      this.#finish(coreOf(this.#connection).goAway(GOING_AWAY));
      return;
    }
    this.#fail(abortedError(this.#url, reason));
    this.#aborter.abort(reason);
  }

  // TargetObserver

  onConnecting(url: string): void {
    if (this.#isOver) return;
    this.#url = url;
    this.#pushConnecting();
  }

  onConnected({ remoteAddress, localAddress }: TransportEnds): void {
    if (this.#isOver || this.#isConnected) return; // A redirect opens another transport.
    this.#isConnected = true;
    this.#stream.push({ type: "connected", ...this.#now(), remoteAddress, localAddress });
  }

  onOpen(connection: Connection): void {
    this.#connection = connection;
    this.#tapped = coreOf(connection).attachObserver(this);
    if (this.#isOver) {
      coreOf(connection).goAway(GOING_AWAY); // Given up in the moment in which it opened.
      return;
    }
    const { subprotocol, extensions, response } = connection;
    this.#stream.push({ type: "ready", ...this.#now(), connection, subprotocol, extensions, response });
    const { pollInterval } = this.#options;
    if (pollInterval === null) return;
    this.#poller = new Poller(this.#runtime, pollInterval, () =>
      this.#stream.push({ type: "poll", ...this.#now() }),
    );
    this.#poller.start();
  }

  onSpread(width: number): void {
    this.#spread = width;
  }

  // ConnectionObserver

  take(message: Message): boolean {
    this.#onMessage(message);
    return true;
  }

  end(): void {
    // `onEnded` follows, with more details.
  }

  fail(): void {
    // Not called: this attaches as soon as the connection opens, before a message can be dropped.
  }

  get unread(): Unread {
    return this.#stream.unread;
  }

  onPing(payload: Uint8Array): void {
    if (!this.#isOver) this.#stream.push({ type: "ping", ...this.#readTime(), payload });
  }

  onPong(payload: Uint8Array, roundTrip: number | null): void {
    if (this.#isOver) return;
    this.#stream.push({ type: "pong", ...this.#readTime(), payload, roundTrip });
  }

  onSuspended(gap: number): void {
    if (!this.#isOver) this.#stream.push({ type: "suspended", ...this.#now(), gap });
  }

  onClosing(close: Close): void {
    if (this.#isOver) return;
    this.#poller?.stop();
    const { closeTimeout } = this.#options.settings;
    this.#closeAnswer = new CloseAnswer(this.#runtime, closeTimeout, () => this.#tapped?.answerClose());
    this.#stream.push({ type: "closing", ...this.#readTime(), ...close });
  }

  onClosed(close: Close, initiator: "local" | "peer"): void {
    if (this.#isOver) return;
    this.#poller?.stop();
    this.#closeAnswer?.cancel();
    const time = initiator === "local" ? this.#readTime() : this.#now();
    this.#stream.push({ type: "closed", ...time, ...close, initiator });
  }

  onFailure(error: HoldfastError): void {
    if (this.#isOver) return;
    this.#poller?.stop();
    this.#stream.push({ type: "protocolError", ...this.#readTime(), error });
  }

  onDead(silence: number): void {
    if (this.#isOver) return;
    this.#poller?.stop();
    this.#stream.push({ type: "unresponsive", ...this.#now(), silence });
  }

  onEnded(info: CloseInfo): void {
    this.#finish(info);
    this.#resolveGone();
  }

  #onMessage(message: Message): void {
    if (this.#isOver) return;
    // While closing, reading cannot pause any more, so messages above the limits are dropped.
    if (this.#stream.isFull && this.#connection?.state !== "open") return;
    const time = this.#readTime();
    if (typeof message === "string") {
      this.#stream.push(new ReceivedText(message, time));
    } else {
      const data = this.#stream.isWaiting ? message : ownBytes(message);
      const isText = data instanceof TextBytes;
      this.#stream.push(isText ? new ReceivedTextBytes(data, time) : { type: "binary", ...time, data });
    }
    if (this.#isPaused || !this.#stream.isFull) return;
    this.#isPaused = true;
    this.#tapped?.pauseReading();
  }

  #pushConnecting(): void {
    this.#isConnecting = true;
    const { attempt } = this.#options;
    this.#stream.push({ type: "connecting", ...this.#now(), url: this.#url, attempt });
  }

  #fail(error: HoldfastError): void {
    if (this.#isOver) return;
    if (!this.#isConnecting) this.#pushConnecting();
    const event = this.#failureEvent(error);
    if (event !== null) this.#stream.push(event);
    this.#isOver = true;
    const time = this.#now();
    const info = neverOpenedInfo(error, this.#options.settings, this.#runtime.clock.wallNow());
    this.#stream.push({ type: "disconnected", ...time, info, error });
    this.#stream.onAttemptEnded({ info, error }, time);
  }

  /** Null if `disconnected` suffices: the server did not answer, or its transport broke during the upgrade. */
  #failureEvent(error: HoldfastError): ClientEvent | null {
    if (!this.#isConnected) return { type: "connectFail", ...this.#now(), error };
    if (error instanceof InvalidStatusError) {
      const { status, headers, body, retryAfter } = error;
      return { type: "rejected", ...this.#now(), error, status, headers, body, retryAfter };
    }
    const isViolation = VIOLATIONS.some((kind) => error instanceof kind);
    return isViolation ? { type: "protocolError", ...this.#now(), error } : null;
  }

  #finish(info: CloseInfo): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#poller?.stop();
    this.#closeAnswer?.cancel();
    const time = this.#now();
    const error = connectionClosed(info);
    this.#stream.push({ type: "disconnected", ...time, info, error: info.ok ? null : error });
    this.#stream.onAttemptEnded({ info, error }, time);
  }

  #now(): EventTime {
    const { clock } = this.#runtime;
    return { at: clock.now(), receivedAt: clock.wallNow() };
  }

  /** When the bytes of the current event were read. That is earlier than now if decompression took long. */
  #readTime(): EventTime {
    const { clock } = this.#runtime;
    const at = this.#tapped?.lastReceivedAt ?? clock.now();
    if (at === this.#newestRead.at) return this.#newestRead; // A chunk holds hundreds of small messages.
    this.#newestRead = { at, receivedAt: Math.round(clock.wallNow() - (clock.now() - at)) };
    return this.#newestRead;
  }
}

const VIOLATIONS = [InvalidUpgradeError, NegotiationError, InvalidHeaderError];
