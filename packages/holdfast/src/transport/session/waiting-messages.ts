// The messages that wait for room in a session's window. They are not counted yet.

import type { SendSettings } from "../../connection/message-transport.js";
import {
  charge,
  discharge,
  SharedPayload,
  type MemoryMeter,
  type SessionMessageData,
} from "../../session/session-memory.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";

export interface WaitingMessage {
  readonly message: SessionMessageData | SharedPayload;
  readonly settings: SendSettings;
  readonly resolve: (sent: PromiseLike<void>) => void;
  readonly reject: (error: unknown) => void;
}

export class WaitingMessages {
  readonly #meter: MemoryMeter;
  readonly #waiting: WaitingMessage[] = [];
  #bytes = 0;

  constructor(meter: MemoryMeter) {
    this.#meter = meter;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Settles as `resolve` or `reject` of the message says. An abort removes it. */
  add(message: SessionMessageData | SharedPayload, settings: SendSettings): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const { signal } = settings;
      const onAbort = (): void => {
        if (this.#remove(waiting)) reject(signal?.reason);
      };
      const stopWatching = (): void => unwatchAbort(signal, onAbort);
      const waiting: WaitingMessage = {
        message,
        settings,
        resolve: (sent) => {
          stopWatching();
          resolve(sent);
        },
        reject: (error) => {
          stopWatching();
          reject(error);
        },
      };
      watchAbort(signal, onAbort);
      this.#waiting.push(waiting);
      this.#bytes += dataOf(message).length;
      charge(this.#meter, message);
    });
  }

  /** Takes the oldest one while `hasRoom` returns true. */
  drain(hasRoom: () => boolean, send: (waiting: WaitingMessage) => void): void {
    let count = 0;
    while (count < this.#waiting.length && hasRoom()) {
      const each = this.#waiting[count++];
      send(each);
      this.#onLeft(each);
    }
    if (count > 0) this.#waiting.splice(0, count);
  }

  takeAll(): readonly WaitingMessage[] {
    const waiting = this.#waiting.splice(0);
    for (const each of waiting) this.#onLeft(each);
    return waiting;
  }

  #remove(waiting: WaitingMessage): boolean {
    const index = this.#waiting.indexOf(waiting);
    if (index === -1) return false;
    this.#waiting.splice(index, 1);
    this.#onLeft(waiting);
    return true;
  }

  #onLeft({ message }: WaitingMessage): void {
    this.#bytes -= dataOf(message).length;
    discharge(this.#meter, message);
  }
}

export function dataOf(message: SessionMessageData | SharedPayload): SessionMessageData {
  return message instanceof SharedPayload ? message.data : message;
}
