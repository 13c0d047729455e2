// One end of the message port between two threads. Items that are posted within one turn are sent as one
// message.

import type { Clock } from "../../connection/ports.js";
import type { Message } from "../../connection/reading/inbox.js";

export class Mailbox<Outgoing extends object, Incoming> {
  readonly #port: MessagePort;
  readonly #clock: Clock;
  #items: Outgoing[] = [];
  #memory: ArrayBuffer[] = [];
  #isClosed = false;
  /** Returns the item that precedes the others in each batch; absent for none. */
  firstItem?: () => Outgoing;

  /** @param onGone called when the other thread has exited or closed the port */
  constructor(
    port: MessagePort,
    clock: Clock,
    onItems: (items: readonly Incoming[]) => void,
    onGone: () => void,
  ) {
    this.#port = port;
    this.#clock = clock;
    port.onmessage = ({ data }: MessageEvent<readonly Incoming[]>) => {
      if (!this.#isClosed) onItems(data);
    };
    port.addEventListener("close", () => {
      if (!this.#isClosed) onGone();
    });
  }

  /** @param bytes the memory of the item to transfer instead of cloning; nothing else may use it */
  post(item: Outgoing, bytes: Uint8Array | null = null): void {
    if (this.#items.length === 0) this.#clock.atTurnEnd(() => this.flush());
    this.#items.push(item);
    if (bytes !== null && bytes.buffer instanceof ArrayBuffer) this.#memory.push(bytes.buffer);
  }

  flush(): void {
    if (this.#items.length === 0 || this.#isClosed) return;
    const items = this.firstItem ? [this.firstItem(), ...this.#items] : this.#items;
    const memory = this.#memory;
    this.#items = [];
    this.#memory = [];
    this.#port.postMessage(items, memory);
  }

  close(): void {
    this.flush();
    this.#isClosed = true;
    this.#port.close();
  }
}

/** Returns bytes that have a buffer to themselves, so that it can be transferred. */
export function alone(bytes: Uint8Array): Exclude<Message, string> {
  const isAlone = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return isAlone ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
}
