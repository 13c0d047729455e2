// Sends the streamed messages of a session: they are counted, but not kept.

import { writeSessionMessage } from "../../session/wire.js";
import type { Fragment } from "../../connection/message-transport.js";
import { NotSentError } from "../../connection/sending/not-sent-error.js";
import { quietly } from "../../shared/deferred.js";
import { SENT } from "../../connection/sent.js";
import { Receipt } from "./receipts.js";
import type { SessionLink } from "./session-link.js";
import { SessionPump } from "./session-pump.js";

/** A message that is sent in fragments, and its link. */
interface Stream {
  readonly link: SessionLink;
  readonly receipt: Receipt;
}

export abstract class SessionStreams extends SessionPump {
  /** Settles once it is known whether the peer has received the newest message; null before its last fragment. */
  #confirmation: Promise<void> | null = null;
  /** The number of messages that wait to be sent in fragments. */
  protected waitingStreams = 0;
  /** The message that is being sent in fragments; null for none. */
  #stream: Stream | null = null;
  /** Sends the first fragment of a message whose position is not logged yet; null for none. */
  #loggedStream: (() => void) | null = null;

  override get isAtRest(): boolean {
    return super.isAtRest && this.#stream === null && this.#confirmation === null;
  }

  /** As in MessageTransport. */
  takeConfirmation(closedError: Error | null): Promise<void> | null {
    const confirmation = this.#confirmation;
    this.#confirmation = null;
    if (confirmation !== null || closedError === null) return confirmation;
    return quietly(Promise.reject(this.#cutOff(closedError)));
  }

  /**
   * Sends a fragment. The message is counted with its first one, so that a receiver learns from `skip` that the rest will
   * not follow. It is not kept: after a cut, the next link shows whether it arrived.
   */
  sendFragment(fragment: Fragment): Promise<void> {
    if (!fragment.isFirst) return this.#sendFragmentOf(this.#stream, fragment);
    if (this.isReadyForStream) return this.#beginStream(fragment);
    const { detachments } = this;
    this.waitingStreams++;
    return this.untilReady().then(() => {
      this.waitingStreams--;
      // A client's connection ends with its link, and what waits on it must not be sent on the next one.
      const isStale = detachments !== this.detachments && !this.settings.keepsWithoutLink;
      if (isStale || this.hasEnded) throw this.#cutOff();
      return this.sendFragment(fragment);
    });
  }

  #beginStream(fragment: Fragment): Promise<void> {
    const link = this.link;
    const receipt = new Receipt();
    const stream = link && { link, receipt };
    this.#stream = stream;
    if (stream === null) return this.#sendFragmentOf(stream, fragment);
    const { outgoing } = this.ledger;
    outgoing.pushStreamed(receipt);
    const { log = null } = this.settings;
    if (log === null) return this.#sendFragmentOf(stream, fragment);
    log.onSent(outgoing.sent, null);
    return new Promise((resolve) => {
      this.#loggedStream = () => resolve(this.#sendFragmentOf(stream, fragment));
    });
  }

  #sendFragmentOf(stream: Stream | null, fragment: Fragment): Promise<void> {
    const link = this.link;
    if (link === null || link.isClosing || stream?.link !== link) {
      this.#stream = null;
      return Promise.reject(this.#cutOff());
    }
    const { receipt } = stream;
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
    const begin = this.#loggedStream;
    this.#loggedStream = null;
    begin?.();
    return begin !== null;
  }
}

const WANT = writeSessionMessage({ type: "want" });
