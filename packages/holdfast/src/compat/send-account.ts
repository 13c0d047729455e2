// Counts the bytes of `bufferedAmount`: payload that was passed to `send()`, and that the network has not accepted yet.

import type { Link, LinkPlatform } from "./link.js";
import { inNextTask } from "./next-task.js";

/**
 * A link counts what is on its way, with framing; the standard counts payload only, and never less than what the current
 * task has sent. So this class counts the payload since the link was last empty, and the smaller of both numbers is right:
 * exactly if nothing or everything has left, and within the size of the frame headers otherwise.
 */
export class SendAccount {
  readonly #platform: Pick<LinkPlatform, "byteLength">;
  #link: Pick<Link, "bufferedAmount"> | null = null;
  /** Payload since the link was last empty, without `#texts`. */
  #payload = 0;
  /** Texts whose bytes are counted only if somebody asks: that costs a tenth of sending them. */
  #texts: string[] = [];
  /** Payload that has not reached the link: it waits for a Blob, or came too late. */
  #held = 0;
  /** The link accepted bytes in this task, which still count until the next one. */
  #isFixed = false;

  constructor(platform: Pick<LinkPlatform, "byteLength">) {
    this.#platform = platform;
  }

  open(link: Pick<Link, "bufferedAmount">): void {
    this.#link = link;
  }

  /** The link has ended: what it has not sent stays counted. */
  end(): void {
    this.#held += this.#unsent();
    this.#payload = 0;
    this.#link = null;
  }

  get amount(): number {
    return this.#held + this.#unsent();
  }

  /** Payload that the link has not accepted. */
  #unsent(): number {
    this.#measureTexts();
    if (this.#isFixed || this.#link === null) return this.#payload;
    const { bufferedAmount } = this.#link;
    if (bufferedAmount < this.#payload) this.#payload = bufferedAmount;
    return this.#payload;
  }

  #measureTexts(): void {
    if (this.#texts.length === 0) return;
    for (const text of this.#texts) this.#payload += this.#platform.byteLength(text);
    this.#texts = [];
  }

  /** The payload waits; `release` follows, or never. */
  hold(size: number): void {
    this.#held += size;
  }

  release(size: number): void {
    this.#held -= size;
  }

  /** Before the link sends a message of `size` bytes. */
  add(size: number): void {
    this.#payload = this.#unsent() + size;
  }

  /**
   * Before the link sends a text. Returns false, without adding it, for a text that has to be measured: a long one, or one
   * that may exceed the limit.
   */
  addText(text: string, limit: number): boolean {
    const buffered = this.#link?.bufferedAmount ?? 0;
    const { length } = text;
    // A code unit takes at most three bytes.
    if (length > LONG || this.#held + this.#payload + buffered + length * 3 > limit) return false;
    if (buffered === 0 && !this.#isFixed) {
      this.#payload = 0;
      this.#texts.length = 0;
    } else if (this.#texts.length === MANY) {
      this.#measureTexts();
    }
    this.#texts.push(text);
    return true;
  }

  /** After the link has sent a message. */
  check(): void {
    const link = this.#link;
    // A link writes at the end of the turn, or once it has much more than this.
    const isLittle = this.#texts.length < FEW && this.#payload < LONG;
    if (this.#isFixed || link === null || isLittle) return;
    this.#measureTexts();
    if (link.bufferedAmount >= this.#payload) return;
    this.#isFixed = true;
    inNextTask(() => (this.#isFixed = false));
  }
}

/** Code units from which a text is measured at once, so that `#texts` does not keep it. */
const LONG = 1024;
/** Texts from which it is worth measuring whether the link has already written some. */
const FEW = 64;
/** The largest number of texts that are not measured. */
const MANY = 512;
