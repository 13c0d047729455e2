// How a connection closes and ends: the steps from the first Close, failure or end of the stream to the last event. Made
// when the first of them happens.

import type { CloseFrame } from "../shared/close-code.js";
import { CloseReply } from "./close-reply.js";
import type { CloseCause, CloseInfo } from "./close-info.js";
import type { ConnectionCore, ConnectionState, GoAwayCause } from "./connection-core.js";
import { Ending } from "./ending.js";
import type { TransportFailure } from "./message-transport.js";

export class Closing extends Ending {
  readonly #core: ConnectionCore;
  #state: ConnectionState = "open";
  /** The answer to the peer's Close, where a reader may delay it; null otherwise. */
  #reply: CloseReply | null = null;

  constructor(core: ConnectionCore) {
    super(core.runtime, core.transport, core);
    this.#core = core;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The peer's Close while it waits for our answer; null otherwise. */
  get unanswered(): CloseFrame | null {
    if (this.#reply?.isSent === false) return this.#reply.close;
    return this.#core.binding?.unanswered ?? null;
  }

  /**
   * Begins the closing handshake (RFC 6455 section 7.1.2). The Close follows the messages that wait, or, where it
   * `isUrgent`, replaces them.
   * @param close null where messages still wait for their turn: `sendClose` follows
   */
  close(close: CloseFrame | null, cause: CloseCause, error: Error | null, isUrgent = false): void {
    this.#core.binding?.answerClose();
    this.#reply?.send(false);
    if (this.#state !== "open") return;
    const { transport } = this.#core;
    this.note(cause, error);
    // The logger, which is called first, may have closed the connection itself.
    if (close !== null && transport.closeSent === null) transport.queueClose(close, isUrgent);
    this.#begin();
  }

  /** Ends the connection now, without a Close. */
  terminate(cause: CloseCause, error: Error | null): void {
    if (this.#state === "closed") return;
    this.cut(cause, error);
    this.#abandon();
  }

  /** Sends a Close in case the peer still listens, and ends the connection without waiting for an answer. */
  goAway(close: CloseFrame, cause: GoAwayCause): CloseInfo {
    if (this.#state !== "closed") this.#goAway(this.unanswered ?? close, cause);
    return this.settle();
  }

  /** The peer was declared dead. It gets a Close with the reason, in case it still listens. */
  onDead(): void {
    this.#goAway({ code: 1011, reason: "keepalive ping timeout" }, "heartbeat-timeout");
  }

  // Events of the transport.

  /** The answer echoes the code (RFC 6455 section 5.5.1). It waits for a reader of the messages that came before. */
  onClose(close: CloseFrame): void {
    const { binding, transport } = this.#core;
    if (binding === null) {
      const mayWait = transport.closeSent === null && transport.answersClose !== true && !this.hasFailed;
      this.#reply = mayWait ? CloseReply.begin(close, transport, this.#core) : null;
      if (this.#reply === null) this.#answer(close, "peer-close", null);
    }
    this.note("peer-close", null);
    binding?.onClose(close, this.hasFailed);
    this.#begin();
  }

  onFailure({ cause, error, close }: TransportFailure): void {
    this.#answer(close, cause, error);
    this.#core.binding?.observer.onFailure(error);
    if (this.#core.failsAtOnce) this.goAway(close, "aborted");
  }

  onEof(): void {
    const { binding, transport } = this.#core;
    this.#core.acceptHeldMessages();
    if (this.#reply?.onEof() === true || binding?.onEof() === true) return;
    if (this.isComplete || this.hasFailed) {
      transport.end();
      return;
    }
    this.note("eof", null);
    this.#destroy();
  }

  onError(cause: CloseCause, error: Error): void {
    this.#core.acceptHeldMessages();
    this.note(cause, error);
    this.#destroy();
  }

  onClosed(): CloseInfo {
    this.#core.acceptHeldMessages();
    const info = this.finish();
    this.#state = "closed";
    this.#reply?.cancel();
    return info;
  }

  /** The peer closed the connection or violated the protocol: our Close overtakes queued messages. */
  #answer(close: CloseFrame, cause: CloseCause, error: Error | null): void {
    const { transport } = this.#core;
    this.note(cause, error);
    if (transport.closeSent === null) transport.queueClose(close, true);
    this.#begin();
  }

  #begin(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#core.keepalive.beginClosing();
    this.#core.acceptHeldMessages();
    this.begin(this.#core.settings.closeTimeout);
  }

  #goAway(close: CloseFrame, cause: CloseCause): void {
    const { transport } = this.#core;
    if (transport.closeSent === null) transport.queueClose(close, true);
    transport.flush();
    this.note(cause, null); // After the Close: if it answered the peer's, the cause stays `peer-close`.
    this.#abandon();
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
    const { binding, keepalive, transport } = this.#core;
    if (transport.outcome !== null) this.settle();
    binding?.settle();
    this.#reply?.cancel();
    this.#core.stopWatchingUnread();
    this.#state = "closing";
    keepalive.beginClosing();
  }
}
