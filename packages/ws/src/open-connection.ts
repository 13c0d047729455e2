// A WebSocket from `open` to `close`: turns the events of a connection of Holdfast into those of `ws`.

import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { CloseInfo, Connection } from "holdfast";
import type { AdoptedConnection, AdoptedHandler, AdoptedHandshake, Adopter } from "holdfast/adapter";
import { CLOSED, CLOSING, EMPTY_BUFFER, OPEN, type BinaryType, type ReadyState } from "./constants.js";
import { frameError } from "./frame-errors.js";
import { UNKNOWN_HANDSHAKE } from "./handshake-records.js";
import { ReceiverView, SenderView } from "./internals.js";
import { createAdopter, readLimit, type ConnectionOptions } from "./options.js";
import { Outgoing } from "./outgoing.js";

/** The result of an opening handshake. */
export interface Upgrade {
  readonly adopter: Adopter;
  readonly handshake: AdoptedHandshake;
}

/** The WebSocket, and what the application chose. */
export interface Owner {
  readonly target: EventEmitter;
  readonly isServer: boolean;
  readonly binaryType: BinaryType;
}

export class OpenConnection implements AdoptedHandler {
  readyState: ReadyState = OPEN;
  binaryType: BinaryType;
  isPaused = false;
  readonly protocol: string;
  readonly isCompressed: boolean;
  readonly outgoing: Outgoing;
  readonly #target: EventEmitter;
  readonly #options: ConnectionOptions;
  readonly #socket: Duplex;
  readonly #adopted: AdoptedConnection;
  #receiver: ReceiverView | null = null;
  #sender: SenderView | null = null;
  #hasEmittedError = false;
  #hasFailed = false;
  #info: CloseInfo | null = null;

  /** @param head bytes that were read with the handshake */
  constructor(
    { target, isServer, binaryType }: Owner,
    socket: Duplex,
    head: Buffer,
    options: ConnectionOptions,
    upgrade: Upgrade | null,
  ) {
    const adopter = upgrade?.adopter ?? createAdopter(isServer ? "server" : "client", options);
    const handshake = upgrade?.handshake ?? UNKNOWN_HANDSHAKE;
    const { setTimeout, setNoDelay } = socket as Partial<Record<"setNoDelay" | "setTimeout", unknown>>;
    if (typeof setTimeout === "function") setTimeout.call(socket, 0);
    if (typeof setNoDelay === "function") setNoDelay.call(socket);
    this.#target = target;
    this.#options = options;
    this.#socket = socket;
    this.binaryType = binaryType;
    this.protocol = handshake.subprotocol ?? "";
    this.isCompressed = handshake.compression !== null;
    this.#adopted = adopter.adopt(socket, head, this, handshake);
    this.outgoing = new Outgoing(this.#adopted, {
      isCompressed: this.isCompressed,
      hasEnded: () => this.readyState === CLOSED || socket.destroyed,
      onUnreadable: (error) => this.#onUnreadable(error),
    });
  }

  get connection(): Connection {
    return this.#adopted.connection;
  }

  /** Whether both Close frames were exchanged. */
  get endedCleanly(): boolean {
    return this.#info?.clean === true && !this.#hasFailed;
  }

  /** Created when it is first read: few programs do. */
  get receiver(): ReceiverView {
    return (this.#receiver ??= new ReceiverView(readLimit(this.#options.maxPayload) ?? 0, this.isCompressed));
  }

  get sender(): SenderView {
    return (this.#sender ??= new SenderView(this.outgoing, this.#socket));
  }

  close(code: number, reason: string): void {
    this.readyState = CLOSING;
    this.outgoing.close(code, reason);
  }

  terminate(): void {
    this.readyState = CLOSING;
    this.#adopted.terminate();
  }

  pause(): void {
    this.isPaused = true;
    this.#adopted.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.#adopted.resume();
  }

  // Events of the connection.

  onMessage(payload: Buffer, isText: boolean): void {
    if (payload.length === 0) payload = EMPTY_BUFFER; // It does not keep the memory of the chunk.
    const { binaryType } = this;
    const data = isText || binaryType === "nodebuffer" ? payload : inForm(binaryType, payload);
    this.#emit("message", data, !isText);
    if (this.#options.allowSynchronousEvents === false) this.#yieldTurn();
  }

  onPing(payload: Buffer): void {
    this.#emit("ping", payload);
  }

  onPong(payload: Buffer, isKeepalive: boolean): void {
    if (!isKeepalive) this.#emit("pong", payload); // The application sees only the pongs of its pings.
  }

  /** The peer closes the connection. `ws` answers at once. */
  onClosing(code: number, reason: string): void {
    this.readyState = CLOSING;
    this.outgoing.answerClose();
    this.#receiver?.emit("conclude", code, Buffer.from(reason));
  }

  onFailure(error: Error): void {
    this.readyState = CLOSING;
    this.#hasFailed = true;
    this.#emitErrorOnce(frameError(error));
  }

  onEnded(info: CloseInfo): void {
    this.readyState = CLOSING;
    this.#info = info;
    try {
      this.outgoing.end();
    } finally {
      this.readyState = CLOSED;
      const isKnown = info.received !== null && !this.#hasFailed;
      const reason =
        isKnown && info.received.reason !== "" ? Buffer.from(info.received.reason) : EMPTY_BUFFER;
      this.#target.emit("close", isKnown ? info.received.code : 1006, reason);
    }
  }

  /** After a listener that throws, nothing is delivered before the exception has ended the process or was handled. */
  #emit(event: "message" | "ping" | "pong", data: unknown, isBinary?: boolean): void {
    try {
      if (isBinary === undefined) this.#target.emit(event, data);
      else this.#target.emit(event, data, isBinary);
    } catch (error) {
      this.#yieldTurn();
      throw error; // The adapter throws it in the next tick.
    }
  }

  /** The next event follows in a later turn of the event loop. */
  #yieldTurn(): void {
    this.#adopted.pause();
    setImmediate(() => {
      if (!this.isPaused) this.#adopted.resume();
    });
  }

  /** A Blob could not be read, so that the messages after it cannot be sent either. */
  #onUnreadable(error: Error): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSING;
    this.#socket.end();
    this.#emitErrorOnce(error);
  }

  #emitErrorOnce(error: Error): void {
    if (this.#hasEmittedError) return;
    this.#hasEmittedError = true;
    this.#target.emit("error", error);
  }
}

function inForm(type: Exclude<BinaryType, "nodebuffer">, payload: Buffer): ArrayBuffer | Blob | Buffer[] {
  switch (type) {
    case "arraybuffer":
      return payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.byteLength) as ArrayBuffer;
    case "fragments":
      return [payload];
    case "blob":
      return new Blob([payload as Uint8Array<ArrayBuffer>]);
  }
}
