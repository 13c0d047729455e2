// One end of the port between two threads. What is posted within one turn travels as one message.

import type { Clock } from "../../connection/ports.js";

export class Mailbox<Outgoing extends object, Incoming> {
  readonly #port: MessagePort;
  readonly #clock: Clock;
  #items: Outgoing[] = [];
  #memory: ArrayBuffer[] = [];
  #isClosed = false;

  /** @param onGone the other thread is gone, or has let go of the port */
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

  /** @param bytes what of the item is handed over rather than cloned: nobody else may use its memory */
  post(item: Outgoing, bytes: Uint8Array | null = null): void {
    if (this.#items.length === 0) this.#clock.atTurnEnd(() => this.flush());
    this.#items.push(item);
    if (bytes !== null && bytes.buffer instanceof ArrayBuffer) this.#memory.push(bytes.buffer);
  }

  flush(): void {
    if (this.#items.length === 0 || this.#isClosed) return;
    const items = this.#items;
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

/** Bytes that have their memory to themselves, so that it can be handed over. */
export function alone(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return new Uint8Array(0); // Empty messages share their memory.
  const isAlone = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return isAlone ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
}
