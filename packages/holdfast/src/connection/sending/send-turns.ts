// The queue of sends that wait while a fragmented message is being sent. They are sent in the order of their calls, and
// the Close of `close()` follows the last.

import type { CloseFrame } from "../../shared/close-code.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { quietly } from "../../shared/deferred.js";
import { sendFragments } from "./fragmented-send.js";
import type { Fragments } from "./source.js";
import type { ConnectionSender } from "./connection-sender.js";
import type { Interruption } from "../interruption.js";
import { SENT } from "../sent.js";

export class SendTurns {
  readonly #core: ConnectionSender;
  readonly #onOver: () => void;
  /** In the order of the calls. A set, so that removing an aborted send is cheap. */
  readonly #waiting = new Set<() => void>();
  /** While a message is being sent in fragments; null otherwise. */
  #sending: Interruption | null = null;
  /** The error of the newest message that was cut off. */
  #cutError: Error | null = null;
  #offeredBytes = 0;
  #close: CloseFrame | null = null;

  /** @param onOver called when no send waits any more */
  constructor(core: ConnectionSender, onOver: () => void) {
    this.#core = core;
    this.#onOver = onOver;
  }

  /** Bytes of the broadcast messages that wait. */
  get offeredBytes(): number {
    return this.#offeredBytes;
  }

  /** Sends one message in fragments. Call it only while no other message is being sent in fragments. */
  sendFragments(source: Fragments, signal: AbortSignal | null): Promise<void> {
    return quietly(this.#sendOneByOne(source, signal));
  }

  /** The message that is being sent in fragments cannot be completed. */
  cut(error: Error): void {
    this.#cutError = error;
    this.#sending?.interrupt(error);
  }

  /** Calls `send` in its turn and settles with its result. An abort before that removes it. */
  wait(send: () => Promise<void>, signal: AbortSignal | null): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        unwatchAbort(signal, onAbort);
        try {
          resolve(this.#core.takesMessages ? send() : this.#core.rejectWhenEnded(signal));
        } catch (error) {
          reject(error); // The data cannot be sent. The other sends still get their turn.
        }
      };
      const onAbort = (): void => {
        this.#waiting.delete(begin);
        reject(signal?.reason);
      };
      this.#waiting.add(begin);
      watchAbort(signal, onAbort);
    });
    return quietly(sent);
  }

  /** Sends a broadcast message in its turn. */
  offer(size: number, send: () => void): void {
    this.#offeredBytes += size;
    void this.wait(() => {
      this.#offeredBytes -= size;
      send();
      return SENT;
    }, null);
  }

  /** Sends the Close once no send waits any more. */
  closeAfterwards(close: CloseFrame): void {
    this.#close ??= close;
  }

  /** The next send starts before the caller's promise settles, so that a later send of the caller comes after it. */
  async #sendOneByOne(source: Fragments, signal: AbortSignal | null): Promise<void> {
    const core = this.#core;
    const waiting = core.beginWait(signal);
    this.#sending = waiting;
    let confirmation: Promise<void> | null;
    try {
      await sendFragments(source, core, waiting);
      confirmation = core.transport.takeConfirmation?.(null) ?? null;
    } catch (error) {
      const closedError = core.state === "closed" ? core.closedError() : null;
      confirmation = core.transport.takeConfirmation?.(closedError) ?? null;
      const isCut = error === closedError || error === this.#cutError;
      if (confirmation === null || !isCut) throw error;
    } finally {
      waiting.stop();
      this.#startNext();
    }
    await confirmation;
  }

  #startNext(): void {
    this.#sending = null;
    for (const begin of this.#waiting) {
      this.#waiting.delete(begin);
      begin();
      if ((this.#sending as Interruption | null) !== null) return; // The next message is fragmented, too.
    }
    this.#onOver();
    if (this.#close !== null) this.#core.sendClose(this.#close);
  }
}
