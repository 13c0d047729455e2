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
  #link: AccountedLink | null = null;
  /** Payload since the link was last empty, without `#newest`. */
  #payload = 0;
  /** The newest text, if its bytes are not counted yet: the frame that the link made of it has their number. */
  #newest: string | null = null;
  /** The bytes of the link before `#newest`. */
  #before = 0;
  /** Payload that has not reached the link: it waits for a Blob, or came too late. */
  #held = 0;
  /** The link may have written within the call that sends the newest message. */
  #mayHaveWritten = false;
  /** The link accepted bytes in this task, which still count until the next one. */
  #isFixed = false;

  constructor(platform: Pick<LinkPlatform, "byteLength">) {
    this.#platform = platform;
  }

  open(link: AccountedLink): void {
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
    const bufferedAmount = this.#link?.bufferedAmount ?? null;
    this.#countNewest(bufferedAmount);
    if (bufferedAmount !== null && !this.#isFixed && bufferedAmount < this.#payload) {
      this.#payload = bufferedAmount;
    }
    return this.#payload;
  }

  /**
   * Counting the bytes of a text costs a tenth of sending it. An ASCII text in an uncompressed frame of a client needs none of
   * that: the link grew by just its code units and a header.
   */
  #countNewest(bufferedAmount: number | null): void {
    const text = this.#newest;
    if (text === null) return;
    this.#newest = null;
    const { length } = text;
    const isAscii =
      bufferedAmount !== null &&
      bufferedAmount - this.#before === length + (length <= 125 ? 6 : 8) &&
      this.#link?.extensions === "";
    this.#payload += isAscii ? length : this.#platform.byteLength(text);
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
    this.#mayHaveWritten = true;
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
    if (buffered === 0 && !this.#isFixed) this.#payload = 0;
    else this.#countNewest(buffered);
    this.#newest = text;
    this.#before = buffered;
    this.#mayHaveWritten = buffered >= MUCH;
    return true;
  }

  /** After the link has sent a message. */
  check(): void {
    const link = this.#link;
    if (!this.#mayHaveWritten || this.#isFixed || link === null) return;
    const { bufferedAmount } = link;
    this.#countNewest(bufferedAmount);
    if (bufferedAmount >= this.#payload) return;
    this.#isFixed = true;
    inNextTask(() => (this.#isFixed = false));
  }
}

/** Code units from which a text is measured at once, so that `#newest` does not keep it. */
const LONG = 1024;
/** A link writes short texts at the end of the turn, unless it has more bytes than this: half of the default `writeLimit`. */
const MUCH = 32 * 1024;

/** The part of a link that the account needs. */
type AccountedLink = Pick<Link, "bufferedAmount" | "extensions">;
