// Sends messages and the Close in the order of the calls, also while a Blob is read, and bounds what may wait.

import type { CloseFrame } from "../shared/close-code.js";
import { HoldfastError } from "../shared/errors.js";
import { errorOf } from "../shared/thrown.js";
import type { Link, LinkPlatform } from "./link.js";
import { SendAccount } from "./send-account.js";
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
  readonly #account: SendAccount;
  #link: Link | null = null;
  /** Null while nothing waits for a Blob. */
  #order: SendOrder | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#account = new SendAccount(options.platform);
  }

  /** The bytes of `bufferedAmount`. */
  get amount(): number {
    return this.#account.amount;
  }

  open(link: Link): void {
    this.#link = link;
    this.#account.open(link);
  }

  /** The link has ended. */
  end(): void {
    this.clear();
    this.#account.end();
    this.#link = null;
  }

  /** Forgets the messages that wait for a Blob. */
  clear(): void {
    this.#order?.clear();
  }

  /** Counts data that comes too late. */
  refuse(data: Data): void {
    this.#account.hold(this.#sizeOf(data));
  }

  send(data: Data): void {
    const link = this.#link;
    const size = this.#sizeOf(data);
    if (link?.isOpen !== true) {
      this.#account.hold(size);
    } else if ((typeof data === "object" && data instanceof Blob) || this.#order?.isBusy === true) {
      this.#account.hold(size);
      if (this.#account.amount > this.#options.maxBufferedAmount) this.#failFull();
      else this.#sendInOrder(data, size, link);
    } else {
      this.#pass(data, size, link);
    }
  }

  /** As `send()`, without measuring a text that is sent at once. */
  sendText(text: string): void {
    const link = this.#link;
    const account = this.#account;
    const isAtOnce = link?.isOpen === true && this.#order === null;
    if (isAtOnce && account.addText(text, this.#options.maxBufferedAmount)) {
      link.send(text);
      account.check();
    } else {
      this.send(text);
    }
  }

  close(frame: CloseFrame): void {
    const link = this.#link;
    if (this.#order?.isBusy === true) this.#order.push({ data: null, release: () => link?.close(frame) });
    else link?.close(frame);
  }

  #pass(data: string | Uint8Array<ArrayBuffer>, size: number, link: Link): void {
    if (this.#account.amount + size > this.#options.maxBufferedAmount) {
      this.#account.hold(size);
      this.#failFull();
      return;
    }
    this.#account.add(size);
    link.send(data);
    this.#account.check();
  }

  #sendInOrder(data: Data, size: number, link: Link): void {
    this.#order ??= new SendOrder((error) => this.#options.onFailed(errorOf(error)));
    this.#order.push({
      data,
      release: (read) => {
        if (read === null || !link.isOpen) return; // It stays in `bufferedAmount`.
        this.#account.release(size);
        this.#pass(read, size, link);
      },
    });
  }

  #failFull(): void {
    this.#options.onFailed(bufferFullError(this.#account.amount, this.#options.maxBufferedAmount));
  }

  #sizeOf(data: Data): number {
    if (typeof data === "string") return this.#options.platform.byteLength(data);
    return data instanceof Blob ? data.size : data.byteLength;
  }
}

function bufferFullError(amount: number, limit: number): HoldfastError {
  const message = `Expected at most ${limit} unsent bytes (maxBufferedAmount), got ${amount}: the peer or the network takes messages more slowly than send() is called. Check \`bufferedAmount\` before sending, or raise \`maxBufferedAmount\`.`;
  return new HoldfastError(message, { code: "ERR_HOLDFAST_SEND_BUFFER_FULL" });
}
