// Sends that wait while a message is sent piece by piece. They leave in the order of their calls: no other send
// overtakes one that waits here, and the Close of `close()` comes after them all.

import type { CloseFrame } from "../shared/close-code.js";
import { errorOf } from "../shared/thrown.js";
import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { sendFragments, type Fragments } from "./fragmented-send.js";
import type { Interruptions } from "./interruption.js";
import type { ConnectionCore } from "./connection-core.js";
import type { SharedMessage } from "./message-transport.js";

export class SendTurns {
  readonly #core: ConnectionCore;
  readonly #interruptions: Interruptions;
  readonly #onOver: () => void;
  /** In the order of the calls. A set, so that an aborted one is removed at no cost. */
  readonly #waiting = new Set<() => void>();
  #isBusy = false;
  #offeredBytes = 0;
  #close: CloseFrame | null = null;

  /** @param onOver nothing waits any more: sends need no turn from now on */
  constructor(core: ConnectionCore, interruptions: Interruptions, onOver: () => void) {
    this.#core = core;
    this.#interruptions = interruptions;
    this.#onOver = onOver;
  }

  /** Bytes of the messages to many that wait. */
  get offeredBytes(): number {
    return this.#offeredBytes;
  }

  /** Sends the pieces of one message. Only for the first, or for one whose turn has come. */
  sendFragments(source: Fragments, signal: AbortSignal | null): Promise<void> {
    this.#isBusy = true;
    const sent = this.#sendOneByOne(source, signal);
    sent.catch(ignore); // A send that nobody awaits must not end the process when the connection is lost.
    return sent;
  }

  /** Calls `send` in its turn, and settles as it does. An abort before that removes it. */
  wait(send: () => Promise<void>, signal: AbortSignal | null): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        if (signal !== null) unwatchAbort(signal, onAbort);
        try {
          resolve(this.#core.takesMessages ? send() : this.#rejectOnceClosed(signal));
        } catch (error) {
          reject(error); // What cannot be sent. The others still get their turn.
        }
      };
      const onAbort = (): void => {
        this.#waiting.delete(begin);
        reject(signal?.reason);
      };
      this.#waiting.add(begin);
      if (signal !== null) watchAbort(signal, onAbort);
    });
    sent.catch(ignore);
    return sent;
  }

  /** Sends a message that goes to many, in its turn. */
  offer({ size }: SharedMessage, send: () => Promise<void>): void {
    this.#offeredBytes += size;
    void this.wait(() => {
      this.#offeredBytes -= size;
      return send();
    }, null);
  }

  /** The Close to send once nothing waits any more. */
  closeAfterwards(close: CloseFrame): void {
    this.#close ??= close;
  }

  /** The turn passes on before the caller learns of the end: what it sends next comes after those that wait. */
  async #sendOneByOne(source: Fragments, signal: AbortSignal | null): Promise<void> {
    const interruption = this.#interruptions.begin(signal);
    try {
      await sendFragments(source, {
        wait: (value) => interruption.wait(value),
        sendFragment: (fragment) =>
          this.#core.takesMessages ? this.#core.sendFragment(fragment) : this.#rejectOnceClosed(null),
        failMessage: (error) => {
          const close = { code: 1011, reason: "error in fragmented message" };
          this.#core.breakOff(close, errorOf(error));
        },
      });
    } finally {
      interruption.stop();
      this.#passOn();
    }
  }

  #passOn(): void {
    this.#isBusy = false;
    for (const begin of this.#waiting) {
      this.#waiting.delete(begin);
      begin();
      if (this.#isBusy as boolean) return; // Another message is sent piece by piece.
    }
    this.#onOver();
    if (this.#close !== null) this.#core.sendClose(this.#close);
  }

  #rejectOnceClosed(signal: AbortSignal | null): Promise<never> {
    return this.#interruptions.begin(signal).waitForever();
  }
}

function ignore(): void {
  // Whoever awaits the promise learns of it all the same.
}
