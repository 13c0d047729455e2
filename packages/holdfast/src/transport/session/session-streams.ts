// Sends the streamed messages of a session: they are counted, but not kept.

import type { Fragment } from "../../connection/message-transport.js";
import { NotSentError } from "../../connection/sending/not-sent-error.js";
import { Deferred, quietly } from "../../shared/deferred.js";
import { SENT } from "../../connection/sent.js";
import { Receipt } from "./receipts.js";
import type { SessionLink } from "./session-link.js";
import { SessionPump, WANT } from "./session-pump.js";

/** A message that is sent in fragments, and its link. */
interface Stream {
  readonly link: SessionLink;
  readonly receipt: Receipt;
  /** A fragment was transmitted. */
  hasBegun: boolean;
}

export abstract class SessionStreams extends SessionPump {
  /** Settles once it is known whether the peer has received the newest message; null before its last fragment. */
  #confirmation: Promise<void> | null = null;
  /** The number of messages that wait to be sent in fragments: one at most. */
  protected waitingStreams = 0;
  /** The message that is being sent in fragments, from its counting on; null for none. */
  #stream: Stream | null = null;
  /** Resolves once the position of that message is logged; null if it need not be, or is. */
  #logged: Deferred | null = null;

  override get isAtRest(): boolean {
    return super.isAtRest && this.#stream === null && this.#confirmation === null;
  }

  /** As in MessageTransport. */
  takeConfirmation(closedError: Error | null): Promise<void> | null {
    const confirmation = this.#confirmation;
    this.#confirmation = null;
    this.waitingStreams = 0;
    this.#dropStream();
    if (confirmation !== null || closedError === null) return confirmation;
    return quietly(Promise.reject(this.#cutOff(closedError)));
  }

  /** As in MessageTransport. With a log, the message is counted before its first fragment is there to be sent. */
  untilFragments(begins: boolean): Promise<void> | null {
    if (this.#stream !== null || this.hasEnded) return null; // It is logged, or its fragments are rejected.
    if (!this.isReadyForStream) {
      const { ledger } = this;
      this.waitingStreams = 1;
      return this.untilReady().then(() => {
        // A session that was lost meanwhile has counted it, and must not be followed by it.
        if (ledger !== this.ledger) throw this.#cutOff();
      });
    }
    this.waitingStreams = 0;
    const { log = null } = this.settings;
    if (log === null || !begins) return null;
    this.#stream = this.#count();
    log.onSent(this.ledger.outgoing.sent, null);
    return (this.#logged = new Deferred()).promise;
  }

  /**
   * Sends a fragment. The message is counted with its first one, so that a receiver learns from `skip` that the rest will
   * not follow. It is not kept: after a cut, the next link shows whether it arrived.
   */
  sendFragment(fragment: Fragment): Promise<void> {
    if (fragment.isFirst) this.#stream ??= this.#count();
    return this.#sendFragmentOf(this.#stream, fragment);
  }

  #count(): Stream | null {
    const link = this.link;
    if (link === null) return null;
    const receipt = new Receipt();
    this.ledger.outgoing.pushStreamed(receipt);
    return { link, receipt, hasBegun: false };
  }

  /** Forgets a message that was not sent whole. The peer must not wait for one that was counted. */
  #dropStream(): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#logged = null;
    if (stream === null || stream.hasBegun || stream.link !== this.link) return; // The next link shows what is missing.
    this.ledger.outgoing.withdrawStream();
    this.pump();
  }

  #sendFragmentOf(stream: Stream | null, fragment: Fragment): Promise<void> {
    const link = this.link;
    if (link === null || link.isClosing || stream?.link !== link) {
      this.#stream = null;
      return Promise.reject(this.#cutOff());
    }
    const { receipt } = stream;
    stream.hasBegun = true;
    const sent = link.transmitFragment(fragment);
    if (fragment.isLast) {
      this.#stream = null;
      this.#confirmation = receipt.promise;
      this.afterPush();
      link.sendWord(WANT); // The sender waits for the ack.
    }
    if (sent === SENT) return SENT;
    return sent.catch(() => {
      if (!fragment.isLast) throw this.#cutOff();
    });
  }

  /** The receiver drops a message whose end does not follow. */
  #cutOff(cause?: Error): NotSentError {
    return new NotSentError(this.hasEnded ? "session-lost" : "lost", "unsent", cause);
  }

  protected beginLoggedStream(): boolean {
    const logged = this.#logged;
    this.#logged = null;
    logged?.resolve();
    return logged !== null;
  }
}
