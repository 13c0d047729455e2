// Sends the messages that need more than framing and writing: fragments, messages to many connections, messages that an
// extension encodes, and messages of a decorator.

import { ignore } from "../../shared/deferred.js";
import { BINARY, FIN } from "../../shared/opcode.js";
import type { Fragment, SendSettings, SharedMessage } from "../../connection/message-transport.js";
import { Outbox, type Tracking } from "./outbox.js";
import { SharedFrames } from "./shared-frames.js";

/** Nobody withdraws the message or observes it. */
const UNTRACKED: Tracking = { signal: null, receipt: null };
const AS_IT_IS: SendSettings = { ...UNTRACKED, mayEncode: false };

/** A message of a decorator that waits for the end of a fragmented message. */
interface AheadMessage {
  readonly message: string | Uint8Array;
  readonly onSent: () => void;
  /** Withdraws the message; null before it was queued. */
  withdraw: (() => void) | null;
}

const NOTHING_HELD: readonly AheadMessage[] = [];

export abstract class MessageSender extends Outbox {
  #held = NOTHING_HELD;

  /** RFC 6455 section 5.4. */
  sendFragment({ type, payload, isLast }: Fragment): Promise<void> {
    const sent = this.sendFrame(this.protocol.fragmentByte(type, isLast), payload, UNTRACKED);
    if (isLast && this.#held.length > 0) {
      const held = this.#held;
      this.#held = NOTHING_HELD;
      for (const each of held) each.withdraw = this.#sendFirst(each.message, each.onSent);
    }
    return sent;
  }

  sendAhead(message: string | Uint8Array, onSent: () => void): () => void {
    if (!this.protocol.isAmidMessage) return this.#sendFirst(message, onSent);
    const held: AheadMessage = { message, onSent, withdraw: null };
    this.#held = [...this.#held, held];
    return () => {
      this.#held = this.#held.filter((other) => other !== held);
      held.withdraw?.();
    };
  }

  /** Sends a message whose frame other connections send as well, by reference. */
  sendShared(message: SharedMessage): boolean {
    const { protocol } = this;
    // RFC 6455 section 5.3: a client masks each frame with its own key.
    if (protocol.role === "client" || !(message instanceof SharedFrames)) return false;
    if (message.mayEncode && protocol.mayEncode(message.size)) {
      this.#sendSharedEncoded(message);
    } else {
      const batch = this.batchFor(message.frame.length);
      if (batch !== null) batch.appendShared(protocol.pass(message));
      else this.sendQueue().push([protocol.pass(message).lastingFrame], null);
    }
    this.planFlush();
    return true;
  }

  protected sendEncoded(opcode: number, payload: Uint8Array, tracking: Tracking): Promise<void> {
    const { protocol } = this;
    const encoded = protocol.encode(payload);
    if (encoded === null) return this.sendFrame(FIN | opcode, payload, tracking);
    if (!(encoded instanceof Promise))
      return this.sendFrame(protocol.encodedByte(opcode), encoded, tracking, true);
    const frame = encoded.then((late) => protocol.lateFrame(opcode, payload, late));
    return this.#sendLater(frame, payload.length, tracking);
  }

  /** Sends a message that is encoded once for all connections whose extension can share the result. */
  #sendSharedEncoded(message: SharedFrames): void {
    const frame = this.protocol.sharedFrame(message);
    if (frame === null) {
      void this.sendEncoded(message.opcode, message.payload, UNTRACKED);
    } else if (frame instanceof Promise) {
      void this.#sendLater(frame, message.size, UNTRACKED);
    } else {
      const batch = this.batchFor(frame.length);
      if (batch === null) this.sendQueue().push([frame], null, false);
      else batch.append(frame);
    }
  }

  /** Reserves the place of a message of `size` bytes in the queue while it is being encoded asynchronously. */
  #sendLater(frame: Promise<Uint8Array>, size: number, { signal, receipt }: Tracking): Promise<void> {
    const queue = this.sendQueue();
    return queue.pushLater(frame, size, receipt, {
      onFilled: (entry) => this.pace(entry, this.writeLimit, signal),
      onFailed: (error) => {
        this.handler.onSendingFailed(error);
        this.planFlush();
      },
    });
  }

  /**
   * Sends a message ahead of the waiting ones; returns a function that withdraws it. Must not be called between two
   * fragments.
   */
  #sendFirst(message: string | Uint8Array, onSent: () => void): () => void {
    const { protocol } = this;
    const isText = typeof message === "string";
    if (!this.mustWait()) {
      void (isText ? this.sendText(message, AS_IT_IS) : this.sendBinary(message, AS_IT_IS));
      onSent();
      return ignore; // There is nothing to withdraw.
    }
    const frame = isText ? protocol.textFrame(message) : protocol.frame(FIN | BINARY, message);
    const queue = this.sendQueue();
    const entry = queue.insert([frame], onSent);
    if (!this.isBlocked()) this.flush();
    return () => queue.withdraw(entry);
  }
}
