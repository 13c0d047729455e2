// Sends messages and the Close in the order of the calls, also while a Blob is read, and bounds what may wait.

import type { CloseFrame } from "../shared/close-code.js";
import { HoldfastError } from "../shared/errors.js";
import { errorOf } from "../shared/thrown.js";
import { sizeOf, type Link, type LinkPlatform } from "./link.js";
import { SendOrder } from "./send-order.js";

/** The data of `send()`, converted. */
export type Data = Blob | string | Uint8Array<ArrayBuffer>;

export interface SenderOptions {
  readonly platform: LinkPlatform;
  readonly maxBufferedAmount: number;
  /** Nothing more can be sent: too much waits, or a Blob cannot be read. */
  readonly onFailed: (error: Error) => void;
}

export class Sender {
  readonly #options: SenderOptions;
  #link: Link | null = null;
  /** Null before the first Blob. */
  #order: SendOrder | null = null;
  /** Payload that has not reached the link: it waits for a Blob, or came too late. */
  #held = 0;
  /** Bytes that certainly remain below the limit, so that a text need not be measured: that costs a tenth of sending it. */
  #room = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** The bytes of `bufferedAmount`. */
  get amount(): number {
    return this.#held + (this.#link?.unsentPayload ?? 0);
  }

  open(link: Link): void {
    this.#link = link;
  }

  /** The link has ended: what it has not sent stays counted. */
  end(): void {
    this.clear();
    this.#held = this.amount;
    this.#link = null;
  }

  /** Forgets the messages that wait for a Blob. */
  clear(): void {
    this.#order?.clear();
  }

  /** Counts data that comes too late. */
  refuse(data: Data): void {
    this.#held += this.#sizeOf(data);
  }

  send(data: Data): void {
    const link = this.#link;
    const size = this.#sizeOf(data);
    if (link?.isOpen !== true) {
      this.#held += size;
    } else if (this.#order?.isBusy === true || (typeof data === "object" && data instanceof Blob)) {
      this.#held += size;
      if (this.amount > this.#options.maxBufferedAmount) this.#failFull();
      else this.#sendInOrder(data, size, link);
    } else {
      this.#pass(data, size, link);
    }
  }

  /** As `send()`, without measuring a text that is sent at once. */
  sendText(text: string): void {
    const link = this.#link;
    this.#room -= text.length * 3; // A code unit takes at most three bytes.
    if (this.#room >= 0 && this.#order?.isBusy !== true && link?.isOpen === true) link.send(text);
    else this.send(text);
  }

  close(frame: CloseFrame): void {
    const link = this.#link;
    if (this.#order?.isBusy === true) this.#order.push({ data: null, release: () => link?.close(frame) });
    else link?.close(frame);
  }

  #pass(data: string | Uint8Array<ArrayBuffer>, size: number, link: Link): void {
    this.#room = this.#options.maxBufferedAmount - this.amount - size;
    if (this.#room >= 0) {
      link.send(data);
    } else {
      this.#held += size;
      this.#failFull();
    }
  }

  #sendInOrder(data: Data, size: number, link: Link): void {
    this.#order ??= new SendOrder((error) => this.#options.onFailed(errorOf(error)));
    this.#order.push({
      data,
      release: (read) => {
        if (read === null || !link.isOpen) return; // It stays in `bufferedAmount`.
        this.#held -= size;
        this.#pass(read, size, link);
      },
    });
  }

  #failFull(): void {
    this.#options.onFailed(bufferFullError(this.amount, this.#options.maxBufferedAmount));
  }

  #sizeOf(data: Data): number {
    return sizeOf(data, this.#options.platform);
  }
}

function bufferFullError(amount: number, limit: number): HoldfastError {
  const message = `Expected at most ${limit} unsent bytes (maxBufferedAmount), got ${amount}: the peer or the network takes messages more slowly than send() is called. Check \`bufferedAmount\` before sending, or raise \`maxBufferedAmount\`.`;
  return new HoldfastError(message, { code: "ERR_HOLDFAST_SEND_BUFFER_FULL" });
}
