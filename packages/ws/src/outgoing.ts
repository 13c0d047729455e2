// Sends the messages, pings, pongs and the Close of a WebSocket in the order of the calls, also while a Blob is read, and
// calls back.

import type { AdoptedConnection } from "holdfast/adapter";
import { EMPTY_BUFFER } from "./constants.js";
import { isBlob, sizeOf, toBuffer } from "./data.js";
import { TaskQueue } from "./task-queue.js";

/** Called with null, as the callbacks of Node.js, or with the error. */
export type Callback = (error?: Error | null) => void;

export interface SendOptions {
  readonly binary?: boolean | undefined;
  readonly compress?: boolean | undefined;
  readonly fin?: boolean | undefined;
  readonly mask?: boolean | undefined;
}

export interface OutgoingOptions {
  /** Whether compression was agreed on. */
  readonly isCompressed: boolean;
  readonly hasEnded: () => boolean;
  /** A Blob cannot be read: nothing after it will be sent. */
  readonly onUnreadable: (error: Error) => void;
}

export class Outgoing {
  readonly #adopted: AdoptedConnection;
  readonly #options: OutgoingOptions;
  #isAmidMessage = false;
  /** The callbacks of sends that the socket does not have yet; null for none. */
  #callbacks: Set<Callback> | null = null;
  /** Bytes of messages that are to be compressed, and that the socket does not have yet. */
  encodingBytes = 0;
  /** The calls that wait while a Blob is read; null for none. */
  #waiting: TaskQueue | null = null;

  constructor(adopted: AdoptedConnection, options: OutgoingOptions) {
    this.#adopted = adopted;
    this.#options = options;
  }

  /**
   * Bytes that wait for the socket. As in `ws`, a message that is not compressed counts once the socket does not accept it,
   * and one that is compressed counts from the call on.
   */
  get bufferedAmount(): number {
    const waiting = Math.max(this.#adopted.waitingAmount, this.encodingBytes);
    return waiting + (this.#waiting?.bytes ?? 0);
  }

  send(data: unknown, options: SendOptions | undefined, callback: Callback | undefined): void {
    const isPlain = options === undefined && callback === undefined && !this.#isAmidMessage;
    const isSimple = isPlain && this.#waiting === null && !this.#options.isCompressed;
    if (isSimple && typeof data === "string") this.#adopted.send(data, true);
    else if (this.#waiting !== null || isBlob(data)) this.#sendLater(data, options, callback);
    else this.#sendNow(data, options, callback);
  }

  control(type: "ping" | "pong", payload: Buffer, callback: Callback | undefined): void {
    const send = (): void => {
      if (type === "ping") this.#adopted.ping(payload);
      else this.#adopted.pong(payload);
      this.#callWhenWritten(callback);
    };
    this.#inTurn(send, callback);
  }

  close(code: number, reason: string): void {
    this.#inTurn(() => this.#adopted.close(code, reason));
  }

  answerClose(): void {
    this.#inTurn(() => this.#adopted.answerClose());
  }

  /** The connection has ended: the callbacks of everything unsent get an error. */
  end(): void {
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    // The texts of `ws`, which compresses messages one by one.
    const error = new Error(
      this.#options.isCompressed
        ? "The socket was closed while data was being compressed"
        : "The socket was closed before the message was sent",
    );
    for (const callback of callbacks ?? []) callback(error);
    this.#waiting?.end();
  }

  #sendNow(data: unknown, options: SendOptions | undefined, callback: Callback | undefined): void {
    const adopted = this.#adopted;
    const isText = options?.binary === undefined ? typeof data === "string" : !options.binary;
    const payload = isText && typeof data === "string" ? data : data ? toBuffer(data) : EMPTY_BUFFER;
    if (this.#isAmidMessage || options?.fin === false) {
      this.#isAmidMessage = options?.fin === false;
      adopted.sendFragment(toBuffer(payload), isText, !this.#isAmidMessage);
      this.#callWhenWritten(callback);
    } else if (this.#options.isCompressed && options?.compress !== false) {
      this.#encode(payload, isText, callback);
    } else {
      adopted.send(
        payload,
        isText,
        callback === undefined ? undefined : { compress: false, onSent: this.#track(callback) },
      );
    }
  }

  #encode(payload: string | Buffer, isText: boolean, callback: Callback | undefined): void {
    const size = typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
    const onSent = callback === undefined ? null : this.#track(callback);
    this.encodingBytes += size;
    this.#adopted.send(payload, isText, {
      compress: true,
      onSent: () => {
        this.encodingBytes -= size;
        onSent?.();
      },
    });
  }

  /** Keeps the order of the calls while Blobs are read. */
  #sendLater(data: unknown, options: SendOptions | undefined, callback: Callback | undefined): void {
    const waiting = (this.#waiting ??= new TaskQueue(this.#options.hasEnded, () => (this.#waiting = null)));
    const size = sizeOf(data);
    if (isBlob(data)) {
      waiting.addBlob(data, (bytes) => this.#sendNow(bytes, options, callback), {
        callback,
        onUnreadable: this.#options.onUnreadable,
      });
    } else {
      waiting.add(() => this.#sendNow(data, options, callback), callback, size);
    }
  }

  /** Calls now, or once the Blobs before it have been sent. */
  #inTurn(task: () => void, callback?: Callback): void {
    if (this.#waiting === null) task();
    else this.#waiting.add(task, callback, 0);
  }

  /** The frames of a control call or a fragment have no receipts: they are written at once. */
  #callWhenWritten(callback: Callback | undefined): void {
    if (callback === undefined) return;
    this.#adopted.flush();
    process.nextTick(callback, null);
  }

  #track(callback: Callback): () => void {
    const callbacks = (this.#callbacks ??= new Set());
    // A new function: the application may pass the same one twice.
    const tracked: Callback = (error) => callback(error);
    callbacks.add(tracked);
    return () => {
      callbacks.delete(tracked);
      process.nextTick(tracked, null);
    };
  }
}
