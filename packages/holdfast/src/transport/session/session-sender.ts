// The outgoing half of a session's plumbing, for both roles: keeps each message in the ledger, transmits it on the
// current link, replays after a cut, and sends acks.

import type { LossCounts, LossReport, Resumption, Token } from "../../session/send-ledger.js";
import { copyOf, SharedPayload, type SessionMessageData } from "../../session/session-memory.js";
import type { SessionLedger } from "../../session/session-ledger.js";
import { decodeText, type TextBytes } from "../../shared/text-bytes.js";
import { ignore } from "../../shared/deferred.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import type { SendSettings, SharedMessage } from "../../connection/message-transport.js";
import { NotSentError, type NotSentReason } from "../../connection/sending/not-sent-error.js";
import { SENT } from "../../connection/sent.js";
import { confirm, notDelivered, observerOf, Receipt } from "./receipts.js";
import type { SessionLink } from "./session-link.js";
import { transmit } from "./session-pump.js";
import { SessionStreams } from "./session-streams.js";
import { dataOf, WaitingMessages, type WaitingMessage } from "./waiting-messages.js";

export class SessionSender extends SessionStreams {
  /** Null while no message has waited for room in the window. */
  #waiting: WaitingMessages | null = null;

  /** A fresh session has begun on the same link. */
  restart(ledger: SessionLedger): void {
    this.ledger = ledger;
    this.hasEnded = false;
    this.haveAcksEnded = false;
    this.easyLink = null;
  }

  /** Bytes of the messages that wait for room in the window. */
  get waitingBytes(): number {
    return this.#waiting === null ? 0 : this.#waiting.bytes;
  }

  override get isAtRest(): boolean {
    return super.isAtRest && !this.isWaiting;
  }

  get isWaiting(): boolean {
    return this.#waiting !== null && this.#waiting.length > 0;
  }

  /** As in TransportSession. */
  get untilRoom(): Promise<void> | null {
    return this.mustWait ? this.untilReady() : null;
  }

  /** A link is in place, and the ledger's positions are settled: replays what the peer lacks. */
  attach(link: SessionLink, resumption: Resumption | null): void {
    this.link = link;
    if (resumption !== null) {
      confirm(resumption.confirmed);
      for (const token of resumption.unsent) observerOf(token).onLost("unsent", "lost");
    }
    this.pump();
    this.#drainWaiting();
  }

  /** Adds the messages that wait, which the session has not counted yet. */
  countsOf({ unsent, unknown }: LossCounts): LossCounts {
    return { unsent: unsent + this.waitingStreams + (this.#waiting?.length ?? 0), unknown };
  }

  /**
   * The session has ended, here at least. `report` says what becomes of each message. Returns the counts, of those that wait
   * as well.
   */
  end(report: LossReport, reason: NotSentReason = "session-lost"): LossCounts {
    const counts = this.countsOf(report);
    this.finish();
    loseAll(report.tokens, reason);
    for (const each of this.takeWaiting()) each.reject(notDelivered("unsent"));
    return counts;
  }

  /** The peer's Close ends the session, so no ack follows. Messages can still be sent, until the Close is answered. */
  onAcksEnded(): void {
    this.haveAcksEnded = true;
    this.easyLink = null;
    this.endReceipts();
  }

  protected endReceipts(): void {
    loseAll(this.ledger.outgoing.endTokens(), "session-lost");
  }

  /**
   * Sends a message in the usual case, in which nothing waits and nothing is due. Null in any other: call `sendText`, which
   * does the same and everything else.
   */
  sendEasily(text: string | TextBytes, settings: SendSettings): Promise<void> | null {
    const link = this.easyLink;
    if (link === null || typeof text !== "string" || !isPlain(settings)) return null;
    if (!this.ledger.outgoing.pushEasy(text)) return null;
    const sent = link.transmitText(text, settings);
    return sent === SENT ? SENT : sent.catch(ignore); // As in transmit().
  }

  /** @throws InvalidArgumentError for bytes that are not UTF-8 */
  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    return this.#send(typeof text === "string" ? text : decodeText(text), settings);
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.#send(new Uint8Array(payload), settings); // A copy: the caller may reuse the memory.
  }

  #send(data: string | Uint8Array, settings: SendSettings): Promise<void> {
    if (this.mustWait) return this.#wait(data, settings);
    const receipt = settings.until === "delivered" ? new Receipt() : null;
    return this.#onPushed(settings, receipt, this.#push(data, settings.mayEncode, receipt));
  }

  #push(
    message: SessionMessageData | SharedPayload,
    mayEncode: boolean,
    receipt: Receipt | null,
  ): Promise<void> {
    const { outgoing } = this.ledger;
    const isNext = outgoing.push(message, receipt);
    const link = this.link;
    const data = dataOf(message);
    if (isNext && link !== null) return transmit(link, data, mayEncode);
    const { log = null } = this.settings;
    if (log === null) return this.untilCaughtUp();
    log.onSent(outgoing.sent, data);
    return SENT; // The window limits what waits for the log.
  }

  /** Sends a message to many: its payload is kept once, and its frames are shared. */
  sendShared(message: SharedMessage): void {
    const payload = payloadOf(message);
    if (this.mustWait) {
      // Nobody learns what becomes of one receiver's copy.
      this.#wait(payload, { mayEncode: message.mayEncode, signal: null, receipt: null }).catch(ignore);
      return;
    }
    const isNext = this.ledger.outgoing.push(payload);
    const link = this.link;
    if (isNext && link !== null && !link.transmitShared(message))
      void link.transmit(payload.data, message.mayEncode);
    this.settings.log?.onSent(this.ledger.outgoing.sent, payload.data);
    this.afterPush();
  }

  /** The peer has confirmed these messages: there may be room in the window. */
  onConfirmed(tokens: readonly Token[]): void {
    confirm(tokens);
    this.#drainWaiting();
  }

  /** The session has lost its socket: it keeps the messages that waited for room, since an absent peer must block nobody. */
  keepWaiting(): void {
    this.#drainWaiting(() => true);
  }

  /** Another process continues the session: nothing more is sent. */
  park(): void {
    this.isParked = true;
    for (const each of this.takeWaiting()) each.reject(notDelivered("unsent", "lost"));
  }

  /** Removes the messages that wait for the window: they were never counted. */
  takeWaiting(): readonly WaitingMessage[] {
    this.easyLink = null;
    return this.#waiting === null ? NONE_WAITING : this.#waiting.takeAll();
  }

  #onPushed(settings: SendSettings, receipt: Receipt | null, sent: Promise<void>): Promise<void> {
    settings.receipt?.onHandedOver();
    this.afterPush();
    const settled = receipt === null ? sent : receipt.promise;
    const { signal } = settings;
    return signal === null || settled === SENT ? settled : stoppable(settled, signal, receipt !== null);
  }

  #wait(message: SessionMessageData | SharedPayload, settings: SendSettings): Promise<void> {
    this.easyLink = null;
    this.#waiting ??= new WaitingMessages(this.ledger.meter);
    return this.#waiting.add(message, settings);
  }

  #drainWaiting(hasRoom = () => this.link !== null && this.ledger.outgoing.hasRoom): void {
    this.#waiting?.drain(hasRoom, ({ message, settings, resolve }) => {
      const receipt = settings.until === "delivered" ? new Receipt() : null;
      const pushed = this.#push(message, settings.mayEncode, receipt);
      resolve(this.#onPushed(settings, receipt, pushed));
    });
    this.notifyReady();
  }
}

function loseAll(tokens: LossReport["tokens"], reason: NotSentReason): void {
  for (const { token, outcome } of tokens) observerOf(token).onLost(outcome, reason);
}

const NONE_WAITING: readonly WaitingMessage[] = [];

function isPlain({ receipt, signal, until }: SendSettings): boolean {
  return receipt === null && signal === null && until !== "delivered";
}

/** The newest broadcast and its payload: the sessions that receive it ask one after another. */
let lastShared: SharedMessage | null = null;
let lastPayload: SharedPayload | null = null;

function payloadOf(message: SharedMessage): SharedPayload {
  if (lastShared === message && lastPayload !== null) return lastPayload;
  lastShared = message;
  return (lastPayload = new SharedPayload(copyOf(message.data)));
}

/**
 * The session keeps the message, and cannot take it back: an abort only stops waiting. By then the message counts as sent,
 * as it does without a session, but whether the peer has it is unknown.
 */
function stoppable(sent: Promise<void>, signal: AbortSignal, isUntilDelivered: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      if (isUntilDelivered) reject(new NotSentError("aborted", "unknown", signal.reason));
      else resolve();
    };
    watchAbort(signal, onAbort);
    sent.then(resolve, reject).finally(() => unwatchAbort(signal, onAbort));
  });
}
