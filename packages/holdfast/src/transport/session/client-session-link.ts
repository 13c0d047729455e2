// A client's end of version 2 of the link protocol on one socket: what the link's own connection sends goes through the
// session, which counts it.

import { longestWait } from "../../connection/longest-wait.js";
import { ignore } from "../../shared/deferred.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { TextBytes } from "../../shared/text-bytes.js";
import type {
  Fragment,
  MessageTransportFactory,
  MessageTransportHandler,
  SendSettings,
  TransportSession,
} from "../../connection/message-transport.js";
import { Alarm } from "../../connection/timer-queue.js";
import { writeLinkMessage } from "../link/link-message.js";
import type { PingsAs, SpreadEnd } from "../link/link-protocol.js";
import { explainAbort } from "./receipts.js";
import { endsSession, hasEndingCode } from "./session-end.js";
import { END, SessionLink, type SessionLinkHandler } from "./session-link.js";

/** How the messages of a client's connection reach its session, which counts them. */
export interface CarriedSession extends SessionLinkHandler {
  /** A socket is open. Returns the word with which the client begins on it. */
  onLink(link: ClientSessionLink): string;
  readonly state: TransportSession | null;
  /** Bytes that wait for room in the window. */
  readonly waitingBytes: number;
  /** The application ends the session: every Close ends it. */
  readonly isEnding: boolean;
  /** Calls back once no message waits to be transmitted. */
  whenIdle(callback: () => void): void;
  /** Whether the server has not confirmed all messages. */
  readonly hasUnconfirmed: boolean;
  /** Sends an ack for what was received since the last one. */
  acknowledge(): void;
  /** `end` was sent: the session ends with the socket, and nothing more is sent. */
  onEndSent(): void;
  /** The server's Close ends the session: no ack follows. */
  onAcksEnded(link: SessionLink): void;
  /** The connection has ended: rejects the messages that wait. */
  fail(closedError: () => Error): void;
  sendText(text: string | TextBytes, settings: SendSettings): Promise<void>;
  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void>;
  sendFragment(fragment: Fragment): Promise<void>;
  /** As in MessageTransport. */
  untilFragments(begins: boolean): Promise<void> | null;
  /** As in MessageTransport. */
  takeConfirmation(closedError: Error | null): Promise<void> | null;
}

export class ClientSessionLink extends SessionLink {
  readonly #carrier: CarriedSession;
  /** The first message on the socket; null once it was sent. */
  #firstWord: string | null;
  /** Set while the Close waits for the server's answer to `end`; null otherwise. */
  #answerAlarm: Alarm | null = null;
  /** The server has answered: the Close waits for what it confirms when its application has handled it. */
  #hasAnswer = false;
  #sendClose = ignore;

  constructor(
    below: MessageTransportFactory,
    handler: MessageTransportHandler,
    ends: { readonly pingsAs: PingsAs; readonly spread: SpreadEnd },
    carrier: CarriedSession,
  ) {
    super(below, handler, ends.pingsAs, ends.spread);
    this.#carrier = carrier;
    this.bind(carrier);
    this.#firstWord = carrier.onLink(this);
  }

  override start(): void {
    this.#begin();
    super.start();
  }

  /** The keepalive of a page pings with a message, and before `start()`. */
  override queuePing(key: string, payload: Uint8Array): void {
    this.#begin();
    super.queuePing(key, payload);
  }

  #begin(): void {
    const word = this.#firstWord;
    this.#firstWord = null;
    if (word !== null) this.sendWord(word);
  }

  override get session(): TransportSession | null {
    return this.#carrier.state;
  }

  override get bufferedAmount(): number {
    return super.bufferedAmount + this.#carrier.waitingBytes;
  }

  override sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    return this.#carrier.sendText(text, settings);
  }

  override sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.#carrier.sendBinary(payload, settings);
  }

  override sendFragment(fragment: Fragment): Promise<void> {
    return this.#carrier.sendFragment(fragment);
  }

  untilFragments(begins: boolean): Promise<void> | null {
    return this.#carrier.untilFragments(begins);
  }

  explainAbort(sent: Promise<void>, signal: AbortSignal): Promise<void> {
    return explainAbort(sent, signal);
  }

  takeConfirmation(closedError: Error | null): Promise<void> | null {
    return this.#carrier.takeConfirmation(closedError);
  }

  /** A Close that ends the session follows the messages that wait, and a word that says so. */
  override queueClose(close: CloseFrame, isUrgent: boolean): void {
    const carrier = this.#carrier;
    if (isUrgent || this.transport.closeReceived !== null) {
      super.queueClose(close, isUrgent);
      return;
    }
    carrier.whenIdle(() => {
      if (this.transport.closeSent !== null) return;
      const ends = carrier.isEnding || endsSession(close.code);
      this.#sendClose = () => super.queueClose(close, isUrgent);
      if (ends && carrier.state?.isAttached === true) this.#end();
      if (this.#answerAlarm === null) this.#sendClose();
    });
  }

  /** Ends the session. A browser drops what arrives after its Close, so there the Close waits for the server's last ack. */
  #end(): void {
    const carrier = this.#carrier;
    carrier.acknowledge(); // The server's session ends with `end`, and so do its messages that are unconfirmed by then.
    this.sendWord(END);
    carrier.onEndSent();
    if (!this.answersClose || !carrier.hasUnconfirmed) return;
    const { runtime, settings } = this.core;
    this.#answerAlarm = new Alarm({ onAlarm: () => this.#onAnswer() });
    runtime.timers.set(this.#answerAlarm, runtime.clock.now() + longestWait(settings));
    this.sendWord(PING); // The pong follows the ack. If there is nothing to confirm, it is the only answer.
  }

  /** Otherwise an `onOpen` that waits for an ack would hold the answer back. */
  override onClose(close: CloseFrame): void {
    if (this.transport.closeSent === null && hasEndingCode(close)) this.#carrier.onAcksEnded(this);
    super.onClose(close);
  }

  protected override onOwnWord(text: string): boolean {
    if (this.#answerAlarm === null) return super.onOwnWord(text);
    this.#hasAnswer ||= text === PONG;
    const isOwn = text === PONG || super.onOwnWord(text);
    if (this.#hasAnswer && !this.#carrier.hasUnconfirmed) this.#onAnswer();
    return isOwn;
  }

  #onAnswer(): void {
    this.#stopWaiting();
    if (this.transport.closeSent === null) this.#sendClose();
  }

  #stopWaiting(): void {
    if (this.#answerAlarm !== null) this.core.runtime.timers.cancel(this.#answerAlarm);
    this.#answerAlarm = null;
  }

  /** The server hears that the session ends, if the socket takes that much at once. */
  override abandon(): void {
    const { isEnding, state } = this.#carrier;
    if (isEnding && state?.isAttached === true && this.#answerAlarm === null) this.endAtOnce();
    super.abandon();
  }

  override fail(closedError: () => Error): void {
    this.#stopWaiting();
    super.fail(closedError);
    this.#carrier.fail(closedError);
  }
}

const END_BYTES = new TextEncoder().encode("end");
const PING = writeLinkMessage("ping", END_BYTES);
const PONG = writeLinkMessage("pong", END_BYTES);
