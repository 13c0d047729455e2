// The messages that a transport over frames does not just frame and write: fragments, messages to many connections,
// messages that an extension encodes, and those of a decorator.

import { BINARY, FIN } from "../../shared/opcode.js";
import type { Message } from "../../connection/inbox.js";
import type { Fragment, SendSettings, SharedMessage } from "../../connection/message-transport.js";
import { Outbox, type Tracking } from "./outbox.js";
import { SharedFrames } from "./shared-frames.js";

/** Nobody takes the message back, or asks when it leaves. */
const UNTRACKED: Tracking = { signal: null, receipt: null };
const AS_IT_IS: SendSettings = { ...UNTRACKED, mayEncode: false };

/** A message that must go out ahead of others, and after the fragmented one that is being sent. */
interface HeldMessage {
  readonly message: Message;
  readonly onSent: () => void;
  /** Once it was handed over. */
  takeBack: (() => void) | null;
}

const NOTHING_HELD: readonly HeldMessage[] = [];
const NOTHING_LEFT = (): void => undefined;

export abstract class MessageSender extends Outbox {
  #held = NOTHING_HELD;

  /** RFC 6455 section 5.4. */
  sendFragment({ type, payload, isLast }: Fragment): Promise<void> {
    const sent = this.sendFrame(this.protocol.fragmentByte(type, isLast), payload, UNTRACKED);
    if (isLast && this.#held.length > 0) {
      const held = this.#held;
      this.#held = NOTHING_HELD;
      for (const each of held) each.takeBack = this.#sendFirst(each.message, each.onSent);
    }
    return sent;
  }

  sendAhead(message: Message, onSent: () => void): () => void {
    if (!this.protocol.isAmidMessage) return this.#sendFirst(message, onSent);
    const held: HeldMessage = { message, onSent, takeBack: null };
    this.#held = [...this.#held, held];
    return () => {
      this.#held = this.#held.filter((other) => other !== held);
      held.takeBack?.();
    };
  }

  /** Sends a message whose frame others send as well: by reference, so that it is in memory once. */
  sendShared(message: SharedMessage): boolean {
    const { protocol } = this;
    // Section 5.3: a client masks each frame with a key of its own.
    if (protocol.role === "client" || !(message instanceof SharedFrames)) return false;
    if (message.mayEncode && protocol.mayEncode(message.size)) {
      this.#sendSharedEncoded(message);
    } else {
      const batch = this.batchFor(message.frame.length);
      if (batch !== null) batch.appendShared(protocol.pass(message));
      else this.line().push([protocol.pass(message).lastingFrame], null);
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

  /** Sends a message that is encoded once for all whose extension can share what it makes. */
  #sendSharedEncoded(message: SharedFrames): void {
    const frame = this.protocol.sharedFrame(message);
    if (frame === null) {
      void this.sendEncoded(message.opcode, message.payload, UNTRACKED);
    } else if (frame instanceof Promise) {
      void this.#sendLater(frame, message.size, UNTRACKED);
    } else {
      const batch = this.batchFor(frame.length);
      if (batch === null) this.line().push([frame], null, false);
      else batch.append(frame);
    }
  }

  /** Keeps the place of a message of `size` bytes while it is being encoded elsewhere. */
  #sendLater(frame: Promise<Uint8Array>, size: number, { signal, receipt }: Tracking): Promise<void> {
    const backlog = this.line();
    return backlog.pushLater(frame, size, receipt, {
      onFilled: (entry) => this.pace(entry, this.writeLimit, signal),
      onFailed: (error) => {
        this.handler.onSendingFailed(error);
        this.planFlush();
      },
    });
  }

  /** Sends a message ahead of those that wait; what is returned takes it back. Not to be called between two fragments. */
  #sendFirst(message: Message, onSent: () => void): () => void {
    const { protocol } = this;
    const isText = typeof message === "string";
    if (!this.mustWait()) {
      void (isText ? this.sendText(message, AS_IT_IS) : this.sendBinary(message, AS_IT_IS));
      onSent();
      return NOTHING_LEFT;
    }
    const frame = isText ? protocol.textFrame(message) : protocol.frame(FIN | BINARY, message);
    const backlog = this.line();
    const entry = backlog.insert([frame], onSent);
    if (!this.isBlocked()) this.flush();
    return () => backlog.withdraw(entry);
  }
}
