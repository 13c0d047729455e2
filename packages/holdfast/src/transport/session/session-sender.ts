// The outgoing half of a session's plumbing, for both roles: keeps each message in the ledger, transmits it on the
// current link, replays after a cut, and sends acks.

/* eslint max-lines: ["warn", { "max": 370, "skipBlankLines": true, "skipComments": true }] -- One queue, with its three ways in: kept, shared and streamed messages. */

import type { LossReport, Resumption, Token } from "../../session/send-ledger.js";
import { charge, discharge, SharedPayload, type SessionMessageData } from "../../session/session-memory.js";
import type { AckNeed } from "../../session/receive-ledger.js";
import type { SessionLedger } from "../../session/session-ledger.js";
import { writeSessionMessage } from "../../session/wire.js";
import { decodeText, TextBytes } from "../../shared/text-bytes.js";
import { Deferred, ignore } from "../../shared/deferred.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import type { Fragment, SendSettings, SharedMessage } from "../../connection/message-transport.js";
import type { Runtime } from "../../connection/runtime.js";
import { SENT } from "../../connection/sent.js";
import { Deadline } from "../../connection/timer-queue.js";
import type { MessageLog } from "./message-log.js";
import { confirm, notDelivered, observerOf, Receipt } from "./receipts.js";
import type { SessionLink } from "./session-link.js";

export interface SenderSettings {
  /** Milliseconds within which received messages are acknowledged. */
  readonly ackDelay: number;
  readonly writeLimit: number;
  /** Logs each message before it is transmitted; absent for none. */
  readonly log?: MessageLog | null;
  /** Detection is adaptive: the caller reports each message to the keepalive. */
  readonly isAdaptive?: boolean;
  /** Whether messages that are sent without a link are counted and kept. Otherwise they wait. */
  readonly keepsWithoutLink: boolean;
}

/** A message that is sent in fragments, and its link. */
interface Stream {
  readonly link: SessionLink;
  readonly receipt: Receipt;
}

/** A message that waits for room in the window. */
interface Waiting {
  readonly message: SessionMessageData | SharedPayload;
  readonly settings: SendSettings;
  readonly resolve: (sent: PromiseLike<void>) => void;
  readonly reject: (error: unknown) => void;
}

const NONE_WAITING: Waiting[] = [];

export class SessionSender extends Deadline {
  readonly #runtime: Runtime;
  readonly #settings: SenderSettings;
  #ledger: SessionLedger;
  #link: SessionLink | null = null;
  /** The same, unless there is more to do for a message than to count, keep and transmit it. */
  #easyLink: SessionLink | null = null;
  #waiting = NONE_WAITING;
  #waitingBytes = 0;
  /** Resolves once everything that was counted has been transmitted on the link; null if it has been. */
  #caughtUp: Deferred | null = null;
  /** The message that is being sent in fragments; null for none. */
  #stream: Stream | null = null;
  /** As in MessageTransport. */
  streamConfirmation: Promise<void> | null = null;
  /** Resolves when a streamed message may begin; null if none waits. */
  #ready: Deferred | null = null;
  #hasEnded = false;
  #isParked = false;
  /** The link whose write limit was reached: its replay continues later. */
  #pacedLink: SessionLink | null = null;
  /** Sends the first fragment of a message whose position is not logged yet; null for none. */
  #loggedStream: (() => void) | null = null;

  constructor(runtime: Runtime, ledger: SessionLedger, settings: SenderSettings) {
    super();
    this.#runtime = runtime;
    this.#ledger = ledger;
    this.#settings = settings;
  }

  /** A fresh session has begun on the same link. */
  restart(ledger: SessionLedger): void {
    this.#ledger = ledger;
    this.#hasEnded = false;
    this.#easyLink = null;
  }

  /** Bytes of the messages that wait for room in the window. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether messages wait for room in the window. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether messages wait to be transmitted on the link. */
  get isBusy(): boolean {
    return !this.#hasEnded && (this.#waiting.length > 0 || !this.#ledger.outgoing.isCaughtUp);
  }

  /** Calls back once no message waits to be transmitted, or the session has ended. */
  whenIdle(callback: () => void): void {
    if (this.isBusy) void this.#untilReady().then(() => this.whenIdle(callback));
    else callback();
  }

  /** A link is in place, and the ledger's positions are settled: replays what the peer lacks. */
  attach(link: SessionLink, resumption: Resumption | null): void {
    this.#link = link;
    if (resumption !== null) {
      confirm(resumption.confirmed);
      for (const token of resumption.unsent) observerOf(token).onLost("unsent");
    }
    this.#pump();
    this.#drainWaiting();
  }

  detach(): void {
    this.#link = null;
    this.#easyLink = null;
    this.#pacedLink = null;
    this.#beginLoggedStream(); // Without a link, it is rejected.
    this.#runtime.timers.cancel(this);
  }

  /** The session has ended. `report` says what becomes of each message. */
  end(report: LossReport): void {
    this.detach();
    this.#hasEnded = true;
    for (const { token, outcome } of report.tokens) observerOf(token).onLost(outcome);
    for (const each of this.takeWaiting()) each.reject(notDelivered("unsent"));
    this.#caughtUp?.resolve();
    this.#caughtUp = null;
    this.#notifyReady();
  }

  /**
   * Sends a message in the usual case, in which nothing waits and nothing is due. Null in any other: call `sendText`, which
   * does the same and everything else.
   */
  sendEasily(text: string | TextBytes, settings: SendSettings): Promise<void> | null {
    const link = this.#easyLink;
    if (link === null || typeof text !== "string" || !isPlain(settings)) return null;
    if (!this.#ledger.outgoing.pushEasy(text)) return null;
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
    if (this.#mustWait()) return this.#wait(data, settings);
    const receipt = settings.until === "delivered" ? new Receipt() : null;
    return this.#onPushed(settings, receipt, this.#push(data, settings.mayEncode, receipt));
  }

  #push(
    message: SessionMessageData | SharedPayload,
    mayEncode: boolean,
    receipt: Receipt | null,
  ): Promise<void> {
    const { outgoing } = this.#ledger;
    const isNext = outgoing.push(message, receipt);
    const link = this.#link;
    const data = dataOf(message);
    if (isNext && link !== null) return transmit(link, data, mayEncode);
    const { log = null } = this.#settings;
    if (log === null) return this.#untilCaughtUp();
    log.onSent(outgoing.sent, data);
    return SENT; // The window limits what waits for the log.
  }

  /** Sends a message to many: its payload is kept once, and its frames are shared. */
  sendShared(message: SharedMessage): void {
    const payload = payloadOf(message);
    if (this.#mustWait()) {
      // Nobody learns what becomes of one receiver's copy.
      this.#wait(payload, { mayEncode: message.mayEncode, signal: null, receipt: null }).catch(ignore);
      return;
    }
    const isNext = this.#ledger.outgoing.push(payload);
    const link = this.#link;
    if (isNext && link !== null && !link.transmitShared(message))
      void link.transmit(payload.data, message.mayEncode);
    this.#settings.log?.onSent(this.#ledger.outgoing.sent, payload.data);
    this.#afterPush();
  }

  /**
   * Sends a fragment. The message is counted with its first one, so that a receiver learns from `skip` that the rest will
   * not follow. It is not kept: after a cut, the next link shows whether it arrived.
   */
  sendFragment(fragment: Fragment): Promise<void> {
    if (!fragment.isFirst) return this.#sendFragmentOf(this.#stream, fragment);
    if (this.#isReadyForStream) return this.#beginStream(fragment);
    const link = this.#link;
    return this.#untilReady().then(() => {
      // A client's connection ends with its link, and what waits on it must not be sent on the next one.
      const isStale = link !== this.#link && !this.#settings.keepsWithoutLink;
      if (isStale || this.#hasEnded) throw notDelivered("unsent");
      return this.sendFragment(fragment);
    });
  }

  #beginStream(fragment: Fragment): Promise<void> {
    const link = this.#link;
    const receipt = new Receipt();
    const stream = link && { link, receipt };
    this.#stream = stream;
    if (stream === null) return this.#sendFragmentOf(stream, fragment);
    const { outgoing } = this.#ledger;
    outgoing.pushStreamed(receipt);
    const { log = null } = this.#settings;
    if (log === null) return this.#sendFragmentOf(stream, fragment);
    log.onSent(outgoing.sent, null);
    return new Promise((resolve) => {
      this.#loggedStream = () => resolve(this.#sendFragmentOf(stream, fragment));
    });
  }

  #sendFragmentOf(stream: Stream | null, fragment: Fragment): Promise<void> {
    const link = this.#link;
    if (link === null || link.isClosing || stream?.link !== link) {
      this.#stream = null;
      return Promise.reject(notDelivered("unsent"));
    }
    const { receipt } = stream;
    const sent = link.transmitFragment(fragment);
    if (fragment.isLast) {
      this.#stream = null;
      this.streamConfirmation = receipt.promise;
      this.#afterPush();
      link.sendWord(WANT); // The sender waits for the ack.
    }
    if (sent === SENT) return SENT;
    return sent.catch(() => {
      if (!fragment.isLast) throw notDelivered("unsent"); // The link was cut amid the message.
    });
  }

  #beginLoggedStream(): void {
    const begin = this.#loggedStream;
    this.#loggedStream = null;
    begin?.();
  }

  /** The log has the messages up to this position: transmits them. */
  release(position: number): void {
    this.#ledger.outgoing.release(position);
    this.#pump();
  }

  /** The peer has confirmed these messages: there may be room in the window. */
  onConfirmed(tokens: readonly Token[]): void {
    confirm(tokens);
    this.#drainWaiting();
  }

  /** The ledger wants to acknowledge. */
  onAckNeed(need: AckNeed): void {
    if (need === "none") return;
    this.#easyLink = null;
    if (need === "now") this.acknowledge();
    else if (need === "soon")
      this.#runtime.timers.set(this, this.#runtime.clock.now() + this.#settings.ackDelay);
  }

  /** Sends an ack for what was received since the last one. */
  acknowledge(): void {
    this.#sendAck(this.#ledger.takeAck("due"));
  }

  onAlarm(): void {
    this.#sendAck(this.#ledger.takeLateAck());
  }

  /** Another process continues the session: nothing more is sent. */
  park(): void {
    this.#isParked = true;
    for (const each of this.takeWaiting()) each.reject(notDelivered("unsent"));
  }

  /** Removes the messages that wait for the window: they were never counted. */
  takeWaiting(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = NONE_WAITING;
    this.#waitingBytes = 0;
    this.#easyLink = null;
    for (const { message } of waiting) discharge(this.#ledger.meter, message);
    return waiting;
  }

  /** While there is a link, messages wait for room in the window; the caller checks for overflow without one. */
  #mustWait(): boolean {
    if (this.#waiting.length > 0) return true;
    if (this.#link === null) return !this.#settings.keepsWithoutLink;
    return !this.#ledger.outgoing.hasRoom;
  }

  #onPushed(settings: SendSettings, receipt: Receipt | null, sent: Promise<void>): Promise<void> {
    settings.receipt?.onHandedOver();
    this.#afterPush();
    const settled = receipt === null ? sent : receipt.promise;
    return settings.signal === null || settled === SENT ? settled : stoppable(settled, settings.signal);
  }

  #afterPush(): void {
    const link = this.#link;
    if (link === null) return;
    const { incoming, outgoing } = this.#ledger;
    if (incoming.isDue) this.#sendAck(this.#ledger.takeAck("passing"));
    if (outgoing.takeWant()) link.sendWord(WANT);
    if (this.#waiting.length === 0 && !this.#isParked && this.#settings.isAdaptive !== true)
      this.#easyLink = link;
  }

  #sendAck(ack: string): void {
    if (ack !== "") this.#link?.sendWordAhead(ack);
  }

  #wait(message: SessionMessageData | SharedPayload, settings: SendSettings): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const { signal } = settings;
      const onAbort = (): void => {
        if (this.#remove(waiting)) reject(signal?.reason);
      };
      const stopWatching = (): void => {
        if (signal !== null) unwatchAbort(signal, onAbort);
      };
      const waiting: Waiting = {
        message,
        settings,
        resolve: (sent) => {
          stopWatching();
          resolve(sent);
        },
        reject: (error) => {
          stopWatching();
          reject(error);
        },
      };
      if (signal !== null) watchAbort(signal, onAbort);
      if (this.#waiting === NONE_WAITING) this.#waiting = [];
      this.#easyLink = null;
      this.#waiting.push(waiting);
      this.#waitingBytes += dataOf(message).length;
      charge(this.#ledger.meter, message);
    });
  }

  #remove(waiting: Waiting): boolean {
    const index = this.#waiting.indexOf(waiting);
    if (index === -1) return false;
    this.#waiting.splice(index, 1);
    this.#onLeft(waiting);
    return true;
  }

  #onLeft({ message }: Waiting): void {
    this.#waitingBytes -= dataOf(message).length;
    discharge(this.#ledger.meter, message);
  }

  #drainWaiting(): void {
    let count = 0;
    const waiting = this.#waiting;
    while (this.#link !== null && count < waiting.length && this.#ledger.outgoing.hasRoom) {
      const each = waiting[count++];
      const { message, settings, resolve } = each;
      const receipt = settings.until === "delivered" ? new Receipt() : null;
      const pushed = this.#push(message, settings.mayEncode, receipt);
      this.#onLeft(each);
      resolve(this.#onPushed(settings, receipt, pushed));
    }
    if (count > 0) waiting.splice(0, count);
    this.#notifyReady();
  }

  /** Transmits what the peer lacks, at the pace of the link. Pings overtake it, and new messages follow it. */
  #pump(): void {
    const link = this.#link;
    const { outgoing } = this.#ledger;
    if (link !== null && this.#pacedLink === link) return;
    while (link !== null && this.#link === link) {
      const next = outgoing.next();
      if (next === null) break;
      if (this.#loggedStream !== null) {
        this.#beginLoggedStream(); // Nothing else waits for the log while a message is streamed.
        continue;
      }
      if (typeof next === "number") {
        link.sendWord(writeSessionMessage({ type: "skip", count: next }));
        continue;
      }
      const sent = link.transmit(next, false);
      if (link.bufferedAmount < this.#settings.writeLimit) continue;
      this.#pacedLink = link;
      void sent.then(() => this.#continue(link), ignore);
      return;
    }
    if (link === null || !outgoing.isCaughtUp) return;
    this.#caughtUp?.resolve();
    this.#caughtUp = null;
    this.#afterPush();
    this.#notifyReady();
  }

  #continue(link: SessionLink): void {
    if (this.#pacedLink !== link) return;
    this.#pacedLink = null;
    this.#pump();
  }

  /** Messages that are counted while there is no link do not keep their senders; during a replay they do. */
  #untilCaughtUp(): Promise<void> {
    if (this.#link === null) return SENT;
    return (this.#caughtUp ??= new Deferred()).promise;
  }

  get #isReadyForStream(): boolean {
    const link = this.#link;
    return link !== null && !link.isClosing && !this.#mustWait() && this.#ledger.outgoing.isCaughtUp;
  }

  /** Resolves once a streamed message may begin, or once the session has ended: then its fragments are rejected. */
  #untilReady(): Promise<void> {
    return (this.#ready ??= new Deferred()).promise;
  }

  #notifyReady(): void {
    if (this.#ready === null || !(this.#hasEnded || this.#isReadyForStream)) return;
    this.#ready.resolve();
    this.#ready = null;
  }
}

function dataOf(message: SessionMessageData | SharedPayload): SessionMessageData {
  return message instanceof SharedPayload ? message.data : message;
}

function isPlain({ receipt, signal, until }: SendSettings): boolean {
  return receipt === null && signal === null && until !== "delivered";
}

const WANT = writeSessionMessage({ type: "want" });

/** Resolves when there is room for more. Also if the link is cut before that: the session keeps the message. */
function transmit(link: SessionLink, data: SessionMessageData, mayEncode: boolean): Promise<void> {
  const sent = link.transmit(data, mayEncode);
  return sent === SENT ? SENT : sent.catch(ignore);
}

/** The newest broadcast and its payload: the sessions that receive it ask one after another. */
let lastShared: SharedMessage | null = null;
let lastPayload: SharedPayload | null = null;

function payloadOf(message: SharedMessage): SharedPayload {
  if (lastShared === message && lastPayload !== null) return lastPayload;
  lastShared = message;
  return (lastPayload = new SharedPayload(copyOf(message.data)));
}

/** The caller may reuse the memory of bytes, and a replay may come much later. */
function copyOf(data: SessionMessageData): SessionMessageData {
  if (typeof data === "string") return data;
  return data instanceof TextBytes ? new TextBytes(data) : new Uint8Array(data);
}

/** The message is on its way: an abort only stops waiting. */
function stoppable(sent: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    watchAbort(signal, onAbort);
    sent.then(resolve, reject).finally(() => unwatchAbort(signal, onAbort));
  });
}
