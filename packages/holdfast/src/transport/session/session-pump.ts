// The base of a session's sender: transmits what was counted on the current link, replays after a cut, and sends acks.

import type { AckNeed, ReceiveLedger } from "../../session/receive-ledger.js";
import type { SessionMessageData } from "../../session/session-memory.js";
import type { SessionLedger } from "../../session/session-ledger.js";
import { writeSessionMessage } from "../../session/wire.js";
import { Deferred, ignore } from "../../shared/deferred.js";
import type { Runtime } from "../../connection/runtime.js";
import { SENT } from "../../connection/sent.js";
import { Deadline } from "../../connection/timer-queue.js";
import type { MessageLog } from "./message-log.js";
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

export interface SenderHandler {
  /** The ack that was due is sent: nothing may be in flight any more. */
  onAcknowledged(): void;
}

/** Its deadline is that of the next ack. */
export abstract class SessionPump extends Deadline {
  protected readonly runtime: Runtime;
  protected readonly settings: SenderSettings;
  /** Null for nobody. */
  readonly #handler: SenderHandler | null;
  protected ledger: SessionLedger;
  protected link: SessionLink | null = null;
  /** The same, unless there is more to do for a message than to count, keep and transmit it. */
  protected easyLink: SessionLink | null = null;
  protected hasEnded = false;
  /** The peer has sent the Close that ends the session. */
  protected haveAcksEnded = false;
  /** Another process continues the session: nothing more is sent. */
  isParked = false;
  /** Resolves once everything that was counted has been transmitted on the link; null if it has been. */
  #caughtUp: Deferred | null = null;
  /** Resolves when a streamed message may begin; null if none waits. */
  #ready: Deferred | null = null;
  /** When the newest ack was sent; monotonic. */
  #acknowledgedAt = -Infinity;
  /** The link whose write limit was reached: its replay continues later. */
  #pacedLink: SessionLink | null = null;

  constructor(
    runtime: Runtime,
    ledger: SessionLedger,
    settings: SenderSettings,
    handler: SenderHandler | null = null,
  ) {
    super();
    this.runtime = runtime;
    this.ledger = ledger;
    this.settings = settings;
    this.#handler = handler;
  }

  /** Whether nothing waits, so that an object in its place would do the same. The ledger is asked separately. */
  get isAtRest(): boolean {
    if (this.isSet || this.isParked || this.hasEnded || this.haveAcksEnded) return false;
    return this.#caughtUp === null && this.#ready === null && this.#pacedLink === null;
  }

  get incoming(): ReceiveLedger {
    return this.ledger.incoming;
  }

  /** Whether messages wait for room in the window. */
  abstract get isWaiting(): boolean;

  /** While there is a link, messages wait for room in the window; the caller checks for overflow without one. */
  protected get mustWait(): boolean {
    if (this.isWaiting) return true;
    if (this.link === null) return !this.settings.keepsWithoutLink;
    return !this.ledger.outgoing.hasRoom;
  }

  /** Nobody waits for an ack any more. */
  protected abstract endReceipts(): void;

  /** Lets a message begin whose position was not logged before. Returns false if there is none. */
  protected abstract beginLoggedStream(): boolean;

  /** Whether messages wait to be transmitted on the link. */
  get isBusy(): boolean {
    return !this.hasEnded && (this.isWaiting || !this.ledger.outgoing.isCaughtUp);
  }

  /** Calls back once no message waits to be transmitted, or the session has ended. */
  whenIdle(callback: () => void): void {
    if (this.isBusy) void this.untilReady().then(() => this.whenIdle(callback));
    else callback();
  }

  detach(): void {
    this.link = null;
    this.easyLink = null;
    this.#pacedLink = null;
    this.beginLoggedStream(); // Without this link, it is rejected.
    this.#onCaughtUp(); // The next link replays the messages, and nobody waits for that.
    this.runtime.timers.cancel(this);
  }

  /** The session has ended: nobody waits any more. */
  protected finish(): void {
    this.detach();
    this.hasEnded = true;
    this.notifyReady();
  }

  /** The log has the messages up to this position: transmits them. */
  release(position: number): void {
    this.ledger.outgoing.release(position);
    this.pump();
  }

  /** The ledger wants to acknowledge. */
  onAckNeed(need: AckNeed): void {
    if (need === "none") return;
    this.easyLink = null;
    if (need === "now") this.acknowledge();
    else if (need === "soon")
      this.runtime.timers.set(this, this.runtime.clock.now() + this.settings.ackDelay);
  }

  /** Sends an ack for what was received since the last one. */
  acknowledge(): void {
    this.#sendAck(this.ledger.takeAck("due"));
  }

  onAlarm(): void {
    // Messages that arrived after the newest ack may wait as long after it. Most likely, an ack goes with a message before.
    const dueAt = this.#acknowledgedAt + this.settings.ackDelay;
    if (this.incoming.hasUnreported && this.runtime.clock.now() < dueAt) {
      this.runtime.timers.set(this, dueAt);
      return;
    }
    this.#sendAck(this.ledger.takeLateAck());
    this.#handler?.onAcknowledged();
  }

  protected afterPush(): void {
    if (this.hasEnded || this.haveAcksEnded) this.endReceipts();
    const link = this.link;
    if (link === null) return;
    const { incoming, outgoing } = this.ledger;
    if (incoming.isDue) this.#sendAck(this.ledger.takeAck("passing"));
    if (outgoing.takeWant()) link.sendWord(WANT);
    if (!this.isWaiting && !this.isParked && this.settings.isAdaptive !== true) this.easyLink = link;
  }

  #sendAck(ack: string): void {
    if (ack === "") return;
    this.#acknowledgedAt = this.runtime.clock.now();
    this.link?.sendAck(ack);
  }

  /** Transmits what the peer lacks, at the pace of the link. Pings overtake it, and new messages follow it. */
  protected pump(): void {
    const link = this.link;
    const { outgoing } = this.ledger;
    if (link !== null && this.#pacedLink === link) return;
    while (link !== null && this.link === link) {
      const next = outgoing.next();
      if (next === null) break;
      if (this.beginLoggedStream()) continue; // Nothing else waits for the log while a message is streamed.
      if (typeof next === "number") {
        link.sendWord(writeSessionMessage({ type: "skip", count: next }));
        continue;
      }
      const sent = link.transmit(next, false);
      if (link.bufferedAmount < this.settings.writeLimit) continue;
      this.#pacedLink = link;
      void sent.then(() => this.#continue(link), ignore);
      return;
    }
    if (link === null || !outgoing.isCaughtUp) return;
    this.#onCaughtUp();
    this.afterPush();
    this.notifyReady();
  }

  #onCaughtUp(): void {
    this.#caughtUp?.resolve();
    this.#caughtUp = null;
  }

  #continue(link: SessionLink): void {
    if (this.#pacedLink !== link) return;
    this.#pacedLink = null;
    this.pump();
  }

  /** Messages that are counted while there is no link do not keep their senders; during a replay they do. */
  protected untilCaughtUp(): Promise<void> {
    if (this.link === null) return SENT;
    return (this.#caughtUp ??= new Deferred()).promise;
  }

  protected get isReadyForStream(): boolean {
    const link = this.link;
    return link !== null && !link.isClosing && !this.mustWait && this.ledger.outgoing.isCaughtUp;
  }

  /** Resolves once a streamed message may begin, or once the session has ended: then its fragments are rejected. */
  protected untilReady(): Promise<void> {
    return (this.#ready ??= new Deferred()).promise;
  }

  protected notifyReady(): void {
    if (this.#ready === null || !(this.hasEnded || this.isReadyForStream)) return;
    this.#ready.resolve();
    this.#ready = null;
  }
}

/** Requests an ack. */
export const WANT = writeSessionMessage({ type: "want" });

/** Resolves when there is room for more. Also if the link is cut before that: the session keeps the message. */
export function transmit(link: SessionLink, data: SessionMessageData, mayEncode: boolean): Promise<void> {
  const sent = link.transmit(data, mayEncode);
  return sent === SENT ? SENT : sent.catch(ignore);
}
