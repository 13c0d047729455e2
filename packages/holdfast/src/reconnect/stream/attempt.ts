// One attempt: from the first step of connecting to the end of the connection, told as events.

import type { CloseInfo } from "../../connection/close-info.js";
import { coreOf, type Connection } from "../../connection/connection.js";
import { connectionClosed } from "../../connection/errors.js";
import { ownBytes, type Message, type Unread } from "../../connection/inbox.js";
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
import { abortedError, openingError, unopenedInfo } from "../unopened.js";

/** What an attempt needs of the stream that it is part of. */
export interface AttemptHandler {
  /** Whether an event would be consumed at once. */
  readonly isWaiting: boolean;
  /** Whether more waits to be consumed than should. */
  readonly isFull: boolean;
  /** The messages that wait. */
  readonly unread: Unread;
  push(event: ClientEvent): void;
  /** The attempt is over; comes once. */
  onAttemptEnded(ending: AttemptOutcome, time: EventTime): void;
}

export interface AttemptOptions<Options extends ConnectorOptions> {
  readonly target: Target<Options>;
  readonly settings: ConnectionSettings;
  readonly pollInterval: number | null;
  /** As in `ConnectingEvent`. */
  readonly attempt: number;
}

/** The Close of a consumer that leaves: "such as […] a browser having navigated away" (RFC 6455 section 7.4.1). */
const GOING_AWAY = { code: 1001, reason: "" };

export class Attempt<Options extends ConnectorOptions> implements TargetObserver, ConnectionObserver {
  readonly #host: AttemptHandler;
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
  /** The time of the newest bytes that were told. */
  #newestRead: EventTime = { at: -Infinity, receivedAt: 0 };
  readonly #gone: Promise<void>;
  #resolveGone: () => void = () => undefined;

  constructor(host: AttemptHandler, options: AttemptOptions<Options>) {
    this.#host = host;
    this.#options = options;
    this.#runtime = options.target.connector.runtime;
    this.#gone = new Promise((resolve) => (this.#resolveGone = resolve));
  }

  /** The open connection; null before it opened. */
  get connection(): Connection | null {
    return this.#connection;
  }

  /** The URL, without user info; null before all functions have answered. */
  get url(): string | null {
    return this.#url;
  }

  /** As in `OpenObserver`; null where the server has not said. */
  get spread(): number | null {
    return this.#spread;
  }

  /** Resolves when nothing is left of the attempt: no socket, no timer. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  begin(): void {
    const { target, attempt } = this.#options;
    openTarget(target, attempt, this.#aborter.signal, this).then(
      () => undefined, // `onOpen` has it.
      (error: unknown) => {
        this.#fail(openingError(error));
        this.#resolveGone();
      },
    );
  }

  /** The consumer asks for the event behind this one. */
  onConsumed(event: ClientEvent): void {
    if (event.type === "closing") this.#closeAnswer?.send();
  }

  /** The consumer is being given this event. */
  onDelivered(event: ClientEvent): void {
    if (event.type === "closing") this.#closeAnswer?.allowTime();
  }

  /** Enough was consumed to read on. */
  onRoomy(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#tapped?.resumeReading();
  }

  /** Gives the attempt up now, in whatever state it is: `onAttemptEnded` comes within this call. */
  leave(reason: unknown): void {
    if (this.#isOver) return;
    if (this.#connection !== null) {
      this.#finish(coreOf(this.#connection).goAway(GOING_AWAY));
      return;
    }
    this.#fail(abortedError(this.#url, reason));
    this.#aborter.abort(reason);
  }

  // What the connector tells.

  onConnecting(url: string): void {
    if (this.#isOver) return;
    this.#url = url;
    this.#tellConnecting();
  }

  onConnected({ remoteAddress, localAddress }: TransportEnds): void {
    if (this.#isOver || this.#isConnected) return; // A redirect leads to one more transport.
    this.#isConnected = true;
    this.#host.push({ type: "connected", ...this.#now(), remoteAddress, localAddress });
  }

  onOpen(connection: Connection): void {
    this.#connection = connection;
    this.#tapped = coreOf(connection).attachObserver(this);
    if (this.#isOver) {
      coreOf(connection).goAway(GOING_AWAY); // Given up in the moment in which it opened.
      return;
    }
    const { subprotocol, extensions, response } = connection;
    this.#host.push({ type: "ready", ...this.#now(), connection, subprotocol, extensions, response });
    const { pollInterval } = this.#options;
    if (pollInterval === null) return;
    this.#poller = new Poller(this.#runtime, pollInterval, () =>
      this.#host.push({ type: "poll", ...this.#now() }),
    );
    this.#poller.start();
  }

  onSpread(width: number): void {
    this.#spread = width;
  }

  // What the connection tells.

  take(message: Message): boolean {
    this.#onMessage(message);
    return true;
  }

  end(): void {
    // `onEnded` says more.
  }

  fail(): void {
    // It is always ready for the next: nothing is dropped.
  }

  get unread(): Unread {
    return this.#host.unread;
  }

  onPing(payload: Uint8Array): void {
    if (!this.#isOver) this.#host.push({ type: "ping", ...this.#readTime(), payload });
  }

  onPong(payload: Uint8Array, roundTrip: number | null): void {
    if (this.#isOver) return;
    this.#host.push({ type: "pong", ...this.#readTime(), payload, roundTrip });
  }

  onSuspended(gap: number): void {
    if (!this.#isOver) this.#host.push({ type: "suspended", ...this.#now(), gap });
  }

  onClosing(close: Close): void {
    if (this.#isOver) return;
    this.#poller?.stop();
    const { closeTimeout } = this.#options.settings;
    this.#closeAnswer = new CloseAnswer(this.#runtime, closeTimeout, () => this.#tapped?.answerClose());
    this.#host.push({ type: "closing", ...this.#readTime(), ...close });
  }

  onClosed(close: Close, initiator: "local" | "peer"): void {
    if (this.#isOver) return;
    this.#poller?.stop();
    this.#closeAnswer?.cancel();
    const time = initiator === "local" ? this.#readTime() : this.#now();
    this.#host.push({ type: "closed", ...time, ...close, initiator });
  }

  onFailure(error: HoldfastError): void {
    if (this.#isOver) return;
    this.#poller?.stop();
    this.#host.push({ type: "protocolError", ...this.#readTime(), error });
  }

  onDead(silence: number): void {
    if (this.#isOver) return;
    this.#poller?.stop();
    this.#host.push({ type: "unresponsive", ...this.#now(), silence });
  }

  onEnded(info: CloseInfo): void {
    this.#finish(info);
    this.#resolveGone();
  }

  #onMessage(message: Message): void {
    if (this.#isOver) return;
    // While closing nothing holds the peer back any more, so what exceeds the limits is dropped.
    if (this.#host.isFull && this.#connection?.state !== "open") return;
    const time = this.#readTime();
    if (typeof message === "string") {
      this.#host.push(new ReceivedText(message, time));
    } else {
      const data = this.#host.isWaiting ? message : ownBytes(message);
      const isText = data instanceof TextBytes;
      this.#host.push(isText ? new ReceivedTextBytes(data, time) : { type: "binary", ...time, data });
    }
    if (this.#isPaused || !this.#host.isFull) return;
    this.#isPaused = true;
    this.#tapped?.pauseReading();
  }

  #tellConnecting(): void {
    this.#isConnecting = true;
    const { attempt } = this.#options;
    this.#host.push({ type: "connecting", ...this.#now(), url: this.#url, attempt });
  }

  #fail(error: HoldfastError): void {
    if (this.#isOver) return;
    if (!this.#isConnecting) this.#tellConnecting();
    const event = this.#eventOfFailure(error);
    if (event !== null) this.#host.push(event);
    this.#isOver = true;
    const time = this.#now();
    const info = unopenedInfo(error, this.#options.settings, this.#runtime.clock.wallNow());
    this.#host.push({ type: "disconnected", ...time, info, error });
    this.#host.onAttemptEnded({ info, error }, time);
  }

  /** Null where `disconnected` says it all: the server was mute, or its transport broke during the upgrade. */
  #eventOfFailure(error: HoldfastError): ClientEvent | null {
    if (!this.#isConnected) return { type: "connectFail", ...this.#now(), error };
    if (error instanceof InvalidStatusError) {
      const { status, headers, body, retryAfter } = error;
      return { type: "rejected", ...this.#now(), error, status, headers, body, retryAfter };
    }
    const isBreach = BREACHES.some((kind) => error instanceof kind);
    return isBreach ? { type: "protocolError", ...this.#now(), error } : null;
  }

  #finish(info: CloseInfo): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#poller?.stop();
    this.#closeAnswer?.cancel();
    const time = this.#now();
    const error = connectionClosed(info);
    this.#host.push({ type: "disconnected", ...time, info, error: info.ok ? null : error });
    this.#host.onAttemptEnded({ info, error }, time);
  }

  #now(): EventTime {
    const { clock } = this.#runtime;
    return { at: clock.now(), receivedAt: clock.wallNow() };
  }

  /** When the bytes that are being told were read: earlier than now, where a message took long to decompress. */
  #readTime(): EventTime {
    const { clock } = this.#runtime;
    const at = this.#tapped?.lastReceivedAt ?? clock.now();
    if (at === this.#newestRead.at) return this.#newestRead; // A chunk holds hundreds of small messages.
    this.#newestRead = { at, receivedAt: Math.round(clock.wallNow() - (clock.now() - at)) };
    return this.#newestRead;
  }
}

const BREACHES = [InvalidUpgradeError, NegotiationError, InvalidHeaderError];
