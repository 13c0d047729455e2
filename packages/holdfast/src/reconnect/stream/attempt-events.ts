// Turns one attempt into events: from the first step of connecting to the end of the connection.

import { CloseAnswer } from "../../connection/ending/close-answer.js";
import type { ConnectionObserver } from "../../connection/connection-observer.js";
import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { MessageWeight, QueueLimits } from "../../connection/reading/message-weight.js";
import { ReadAhead } from "../../connection/reading/read-ahead.js";
import { ownBytes } from "../../connection/reading/unread-queue.js";
import type { TransportEnds } from "../../connection/open-observer.js";
import type { Clock } from "../../connection/ports.js";
import type { Runtime } from "../../connection/runtime.js";
import {
  InvalidHeaderError,
  InvalidStatusError,
  InvalidUpgradeError,
  NegotiationError,
  type HoldfastError,
} from "../../shared/errors.js";
import { TextBytes } from "../../shared/text-bytes.js";
import type { AttemptOutcome } from "../attempt.js";
import type { ClientEvent, Close, EventTime } from "../events.js";
import { Poller } from "./poller.js";
import { ReceivedText, ReceivedTextBytes } from "./text-event.js";

/** The stream that the events belong to. */
export interface AttemptEventsHandler {
  /** Whether the consumer waits for the next event. */
  readonly isWaiting: boolean;
  /** The queued messages. */
  readonly unread: MessageWeight;
  readonly limits: QueueLimits;
  push(event: ClientEvent): void;
}

export interface AttemptEventsOptions {
  readonly runtime: Runtime;
  /** As in `ConnectingEvent`. */
  readonly attempt: number;
  readonly pollInterval: number | null;
}

export class AttemptEvents implements ConnectionObserver {
  readonly #stream: AttemptEventsHandler;
  readonly #options: AttemptEventsOptions;
  readonly #runtime: Runtime;
  #isConnecting = false;
  #isConnected = false;
  #isOver = false;
  /** The core of the connection; null before it opens. */
  #core: ConnectionCore | null = null;
  #poller: Poller | null = null;
  #closeAnswer: CloseAnswer | null = null;
  /** Null before the connection opens. */
  #readAhead: ReadAhead | null = null;
  /** When the bytes of the newest event were read. */
  #newestRead: EventTime = { at: -Infinity, receivedAt: 0 };

  constructor(stream: AttemptEventsHandler, options: AttemptEventsOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#runtime = options.runtime;
  }

  /** The consumer has finished with this event and requests the next one. */
  onConsumed(event: ClientEvent): void {
    if (event.type === "closing") this.#closeAnswer?.send();
  }

  /** The event is delivered to the consumer. */
  onDelivered(event: ClientEvent): void {
    if (event.type === "closing") this.#closeAnswer?.allowTime();
  }

  /** The consumer has taken a message. */
  onTaken(): void {
    this.#readAhead?.onTaken();
  }

  onConnecting(url: string | null): void {
    this.#isConnecting = true;
    const { attempt } = this.#options;
    this.#stream.push({ type: "connecting", ...this.#now(), url, attempt });
  }

  onConnected({ remoteAddress, localAddress }: TransportEnds): void {
    if (this.#isConnected) return; // A redirect opens another transport.
    this.#isConnected = true;
    this.#stream.push({ type: "connected", ...this.#now(), remoteAddress, localAddress });
  }

  onOpen(connection: Connection): void {
    this.#core = coreOf(connection);
    this.#readAhead = new ReadAhead(this.#core, this.#stream.unread, this.#stream.limits);
    this.#core.attachObserver(this);
    const { subprotocol, extensions, response } = connection;
    this.#stream.push({ type: "ready", ...this.#now(), connection, subprotocol, extensions, response });
    const { pollInterval } = this.#options;
    if (pollInterval === null) return;
    this.#poller = new Poller(this.#runtime, pollInterval, () =>
      this.#stream.push({ type: "poll", ...this.#now() }),
    );
    this.#poller.start();
  }

  /** The attempt or its connection has ended: adds the last events. */
  finish(outcome: AttemptOutcome, time: EventTime): void {
    const { info } = outcome;
    const error = outcome.error as HoldfastError; // Only `failAttempt()`, which streams do not call, has other errors.
    if (this.#core === null) this.#reportFailure(error);
    this.#isOver = true;
    this.#poller?.stop();
    this.#closeAnswer?.cancel();
    this.#readAhead?.stop();
    this.#stream.push({ type: "disconnected", ...time, info, error: info.ok ? null : error });
  }

  // ConnectionObserver

  take(message: Message): boolean {
    this.#onMessage(message);
    return true;
  }

  end(): void {
    // `finish()` follows, with more details.
  }

  fail(): void {
    // Not called: this attaches as soon as the connection opens, before a message can be dropped.
  }

  get unread(): MessageWeight {
    return this.#stream.unread;
  }

  onPing(payload: Uint8Array): void {
    if (!this.#isOver) this.#stream.push({ type: "ping", ...this.#readTime(), payload });
  }

  onPong(payload: Uint8Array, roundTrip: number | null): void {
    if (this.#isOver) return;
    this.#stream.push({ type: "pong", ...this.#readTime(), payload, roundTrip });
  }

  onSuspect(suspicion: Suspicion): void {
    if (!this.#isOver) this.#stream.push({ type: "suspect", ...this.#now(), ...suspicion });
  }

  onSuspended(gap: number): void {
    if (!this.#isOver) this.#stream.push({ type: "suspended", ...this.#now(), gap });
  }

  onClosingBegun(): void {
    this.#readAhead?.onAlarm();
  }

  onClosing(close: Close): void {
    if (this.#isOver) return;
    this.#poller?.stop();
    if (this.#core !== null) this.#closeAnswer = new CloseAnswer(this.#core);
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

  #onMessage(message: Message): void {
    if (this.#isOver) return;
    const time = this.#readTime();
    if (typeof message === "string") {
      this.#stream.push(new ReceivedText(message, time));
    } else {
      const data = this.#stream.isWaiting ? message : ownBytes(message);
      const isText = data instanceof TextBytes;
      this.#stream.push(isText ? new ReceivedTextBytes(data, time) : { type: "binary", ...time, data });
    }
    this.#readAhead?.onAdded();
  }

  #reportFailure(error: HoldfastError): void {
    if (!this.#isConnecting) this.onConnecting(null);
    const event = this.#failureEvent(error);
    if (event !== null) this.#stream.push(event);
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

  #now(): EventTime {
    return timeOf(this.#runtime.clock);
  }

  /** When the bytes of the current event were read. That is earlier than now if decompression took long. */
  #readTime(): EventTime {
    const { clock } = this.#runtime;
    const at = this.#core?.lastReceivedAt ?? clock.now();
    if (at === this.#newestRead.at) return this.#newestRead; // A chunk holds hundreds of small messages.
    this.#newestRead = { at, receivedAt: Math.round(clock.wallNow() - (clock.now() - at)) };
    return this.#newestRead;
  }
}

const VIOLATIONS = [InvalidUpgradeError, NegotiationError, InvalidHeaderError];

export function timeOf(clock: Clock): EventTime {
  return { at: clock.now(), receivedAt: clock.wallNow() };
}
