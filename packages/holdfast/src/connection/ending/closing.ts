// How a connection closes and ends: the steps from the first Close, failure or end of the stream to the last event. Picks
// one cause when several things happen, bounds the closing handshake, and makes the CloseInfo and the error. Made when
// something begins to end the connection.

import type { CloseFrame } from "../../shared/close-code.js";
import { CloseReply } from "./close-reply.js";
import { closeInfo, type CloseCause, type CloseInfo } from "../close-info.js";
import type { ConnectionCore, ConnectionState, GoAwayCause } from "../connection-core.js";
import { connectionClosed, type ConnectionClosed } from "../errors.js";
import type { TransportFailure } from "../message-transport.js";
import { Deadline } from "../timer-queue.js";

/** Causes of a normal closing, which may still fail. */
const NORMAL: ReadonlySet<CloseCause> = new Set<CloseCause>([
  "local-close",
  "peer-close",
  "server-shutdown",
  "handler-failed",
]);

/** The deadline is that of the whole closing, whatever the buffers hold and whatever the peer does. */
export class Closing extends Deadline {
  readonly #core: ConnectionCore;
  #state: ConnectionState = "open";
  #cause: CloseCause | null = null;
  #error: Error | null = null;
  #info: CloseInfo | null = null;
  #closedError: ConnectionClosed | null = null;
  /** The peer's Close, while it waits for our answer. */
  #unanswered: CloseFrame | null = null;
  /** The peer has ended its side of the stream, and ours stays open for the answer. */
  #endsAfterAnswer = false;
  /** Answers the peer's Close in time, unless an observer does. */
  #reply: CloseReply | null = null;

  constructor(core: ConnectionCore) {
    super();
    this.#core = core;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether the peer's Close waits for our answer, so that messages may still be sent. */
  get isAnswerable(): boolean {
    return this.#unanswered !== null;
  }

  /** Whether the outcome is fixed: later events change nothing. */
  get isSettled(): boolean {
    return this.#info !== null;
  }

  /** Fixes the outcome. */
  settle(): CloseInfo {
    return (this.#info ??= this.#judgedElsewhere() ?? this.#judge());
  }

  /**
   * The error that reports the end; every caller gets the same one. Created on demand: most ends are never asked for an
   * error, and capturing its stack costs more than the rest of the end.
   */
  get closedError(): ConnectionClosed {
    return (this.#closedError ??= connectionClosed(this.settle()));
  }

  /**
   * Begins the closing handshake (RFC 6455 section 7.1.2). The Close follows the messages that wait, or, where it
   * `isUrgent`, replaces them.
   * @param close null where messages still wait for their turn: `sendClose` follows
   */
  close(close: CloseFrame | null, cause: CloseCause, error: Error | null, isUrgent = false): void {
    this.answer(false);
    if (this.#state !== "open") return;
    const { transport } = this.#core;
    this.#note(cause, error);
    // The logger, which is called first, may have closed the connection itself.
    if (close !== null && transport.closeSent === null) transport.queueClose(close, isUrgent);
    this.#begin();
  }

  /** Answers the peer's Close if it waits: after the messages that were sent meanwhile or, if it `isLate`, instead of them. */
  answer(isLate: boolean): void {
    const close = this.#unanswered;
    if (close === null) return;
    const { observer, transport } = this.#core;
    this.#unanswered = null;
    this.#reply?.onAnswered();
    transport.queueClose(close, isLate);
    if (this.#endsAfterAnswer) transport.end();
    observer?.onClosed?.(close, "peer", this.#core);
  }

  /**
   * Ends the connection now, without a Close. The application's wish replaces any other cause, unless the closing had failed
   * or was complete.
   */
  terminate(cause: CloseCause, error: Error | null): void {
    if (this.#state === "closed") return;
    const stands = this.#hasFailed || this.#isComplete || (this.#hasReason && cause !== "aborted");
    if (this.#cause === null || !stands) this.#put(cause, error);
    this.#abandon();
  }

  /** Sends a Close in case the peer still listens, and ends the connection without waiting for an answer. */
  goAway(close: CloseFrame, cause: GoAwayCause): CloseInfo {
    if (this.#state !== "closed") {
      const { transport } = this.#core;
      if (transport.closeSent === null) transport.queueClose(this.#unanswered ?? close, true);
      transport.flush();
      this.#note(cause, null); // After the Close: if it answered the peer's, the cause stays `peer-close`.
      this.#abandon();
    }
    return this.settle();
  }

  /** The closing took too long. Reads first what the kernel already holds. */
  onAlarm(): void {
    this.#core.runtime.clock.afterPoll(() => this.terminate("close-timeout", null));
  }

  // Events of the transport.

  /** The answer echoes the code (RFC 6455 section 5.5.1). It waits for an observer, or for a reader of earlier messages. */
  onClose(close: CloseFrame): void {
    const { observer, transport } = this.#core;
    this.#note("peer-close", null);
    const needsAnswer = transport.closeSent === null; // The logger may have closed the connection.
    if (needsAnswer && this.#waitsForReader()) this.#unanswered = close;
    else if (needsAnswer) transport.queueClose(close, true);
    if (needsAnswer) observer?.onClosing(close, this.#core);
    else if (!this.#hasFailed) observer?.onClosed?.(close, "local", this.#core);
    this.#begin();
  }

  /** Our Close overtakes queued messages. */
  onFailure({ cause, error, close }: TransportFailure): void {
    const { failsAtOnce, observer, transport } = this.#core;
    this.#note(cause, error);
    if (transport.closeSent === null) transport.queueClose(close, true);
    this.#begin();
    observer?.onFailure?.(error);
    if (failsAtOnce) this.goAway(close, "aborted");
  }

  onEof(): void {
    const { inbox, transport } = this.#core;
    this.#core.acceptHeldMessages();
    if (this.#unanswered !== null) {
      this.#endsAfterAnswer = true;
      if (inbox.presence === "nobody") this.answer(false);
    } else if (this.#hasFailed || (transport.closeSent !== null && transport.closeReceived !== null)) {
      transport.end(); // After what the peer may still read.
    } else {
      this.#note("eof", null);
      this.#destroy();
    }
  }

  onError(cause: CloseCause, error: Error): void {
    this.#core.acceptHeldMessages();
    this.#note(cause, error);
    this.#destroy();
  }

  onClosed(): CloseInfo {
    this.#core.acceptHeldMessages();
    this.#core.timers.cancel(this);
    const info = this.settle();
    this.#state = "closed";
    this.#stopWaiting();
    return info;
  }

  /** Both Close frames were exchanged. Ours was not where a peer that does not read holds it back, behind messages. */
  get #isComplete(): boolean {
    const { closeReceived, closeSent, isCloseWaiting } = this.#core.transport;
    return closeReceived !== null && closeSent !== null && isCloseWaiting !== true;
  }

  /** The connection failed or was abandoned: no closing handshake is expected any more. */
  get #hasFailed(): boolean {
    return this.#cause !== null && !NORMAL.has(this.#cause);
  }

  /** Whether the cause says why this side closes: a peer that does not answer the Close must not hide that. */
  get #hasReason(): boolean {
    const cause = this.#cause;
    return cause === "handler-failed" || cause === "server-shutdown" || this.#error !== null;
  }

  /**
   * Records a cause. The first one stands, unless it began a normal closing without a reason, and this one interrupts it
   * before both Close frames were exchanged.
   */
  #note(cause: CloseCause, error: Error | null): void {
    const stands = this.#hasFailed || this.#hasReason || NORMAL.has(cause) || this.#isComplete;
    if (this.#cause === null || !stands) this.#put(cause, error);
  }

  #put(cause: CloseCause, error: Error | null): void {
    this.#cause = cause;
    this.#error = error;
    this.#core.onCause(cause, error);
  }

  /** Whether someone may still send messages before the peer's Close is answered: an observer, or a reader. */
  #waitsForReader(): boolean {
    const { observer, transport } = this.#core;
    if (observer !== null) return true;
    if (transport.answersClose === true || this.#hasFailed) return false;
    this.#reply = CloseReply.begin(this, this.#core);
    return this.#reply !== null;
  }

  #stopWaiting(): void {
    this.#unanswered = null;
    this.#reply?.cancel();
  }

  #begin(): void {
    if (this.#state !== "open") return;
    const { keepalive, settings, timers } = this.#core;
    this.#state = "closing";
    keepalive.beginClosing();
    this.#core.beginClosing();
    if (settings.closeTimeout !== null) timers.set(this, this.#core.now() + settings.closeTimeout);
  }

  /** Ends the transport; messages that were received are still delivered. */
  #destroy(): void {
    this.#fix();
    this.#core.transport.destroy();
  }

  /** Ends the transport; no more messages are delivered. */
  #abandon(): void {
    this.#core.acceptHeldMessages();
    this.#fix();
    this.#core.transport.abandon();
  }

  /** Fixes how the connection ended: later events change nothing. */
  #fix(): void {
    if (this.isSettled) return;
    if (this.#core.transport.outcome !== null) this.settle();
    this.#stopWaiting();
    this.#state = "closing";
    this.#core.keepalive.beginClosing();
  }

  #judge(): CloseInfo {
    const { closeReceived, closeSent, receivedFirst } = this.#core.transport;
    return closeInfo({
      cause: this.#cause ?? "eof", // The stream ended without any cause.
      error: this.#error,
      received: closeReceived,
      sent: closeReceived === null || this.#isComplete ? closeSent : null,
      receivedFirst,
      evidence: this.#core.evidence(),
    });
  }

  /** The outcome that another thread decided; null if this thread decides. An error of this side is known only here. */
  #judgedElsewhere(): CloseInfo | null {
    const { outcome = null } = this.#core.transport;
    if (outcome === null || this.#error === null || outcome.cause !== this.#cause) return outcome;
    return Object.freeze({ ...outcome, error: this.#error });
  }
}
