// `WebSocket`: the class of `ws`, for both sides, over a connection of Holdfast.

/* eslint max-lines: ["warn", { "max": 380, "skipBlankLines": true, "skipComments": true }] -- The interface of one class. */

import { EventEmitter } from "node:events";
import type { ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { CloseInfo, Connection } from "holdfast";
import type {
  AdoptedConnection,
  AdoptedHandler,
  AdoptedHandshake,
  Adopter,
  AgreedCompression,
} from "holdfast/adapter";
import { openClient } from "./client-handshake.js";
import { checkCloseArguments } from "./close-arguments.js";
import type { ClientOptions } from "./client-options.js";
import {
  BINARY_TYPES,
  CLOSED,
  CLOSING,
  CONNECTING,
  EMPTY_BUFFER,
  OPEN,
  STATE_NAMES,
  type BinaryType,
  type ReadyState,
} from "./constants.js";
import { controlPayload, isBlob, sizeOf } from "./data.js";
import { addEventListener, defineAttributes, removeEventListener } from "./events.js";
import { frameError } from "./frame-errors.js";
import { UNKNOWN_HANDSHAKE } from "./handshake-records.js";
import { createAdopter, type ConnectionOptions } from "./options.js";
import { Outgoing, type Callback, type SendOptions } from "./outgoing.js";
import { readProtocols } from "./subprotocols.js";

export type { SendOptions } from "./outgoing.js";

/** The result of an opening handshake. */
export interface Upgrade {
  readonly adopter: Adopter;
  readonly handshake: AdoptedHandshake;
}

// Set by the class, so that its private members stay private.
let received: {
  message(target: WebSocket, payload: Buffer, isText: boolean): void;
  closing(target: WebSocket): void;
  failure(target: WebSocket, error: Error): void;
  ended(target: WebSocket, info: CloseInfo): void;
};

export class WebSocket extends EventEmitter {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;

  // As in `ws`, for the many programs that read them.
  _isServer: boolean;
  _redirects = 0;
  _req: ClientRequest | null = null;
  _socket: Duplex | null = null;
  /** Ends the handshake; null while none runs. @internal */
  _abort: ((error: Error) => void) | null = null;

  readonly #options: ConnectionOptions;
  #state: ReadyState = CONNECTING;
  #url = "";
  #adopted: AdoptedConnection | null = null;
  /** Null before it opens, as `#adopted`. */
  #outgoing: Outgoing | null = null;
  #binaryType: BinaryType = "nodebuffer";
  #protocol = "";
  #compression: AgreedCompression | null = null;
  #isPaused = false;
  #hasEmittedError = false;
  #hasFailed = false;
  #info: CloseInfo | null = null;
  /** Bytes given to `send()` after the closing began. */
  #refusedBytes = 0;

  static {
    received = {
      message: (target, payload, isText) => target.#deliver(payload, isText),
      closing: (target) => target.#onClosing(),
      failure: (target, error) => target.#onFailure(error),
      ended: (target, info) => target.#onEnded(info),
    };
  }

  /** @param address null for a connection that a server accepts */
  constructor(address: string | URL | null, protocols?: unknown, options?: ClientOptions) {
    super();
    this._isServer = address === null;
    if (address === null) {
      this.#options = options ?? {};
      return;
    }
    const given = readProtocols(protocols, options);
    this.#options = given.options ?? {};
    openClient(this, address, given.protocols, given.options ?? {});
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    if (BINARY_TYPES.includes(type)) this.#binaryType = type;
  }

  /** Bytes that wait for the socket, and bytes that were sent too late. */
  get bufferedAmount(): number {
    return (this.#outgoing?.bufferedAmount ?? 0) + this.#refusedBytes;
  }

  get extensions(): string {
    return this.#compression === null ? "" : "permessage-deflate";
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get protocol(): string {
    return this.#protocol;
  }

  get readyState(): ReadyState {
    return this.#state;
  }

  get url(): string {
    return this.#url;
  }

  /** The connection of Holdfast, with its latency, statistics and the explanation of its end; null before it opens. */
  get holdfast(): Connection | null {
    return this.#adopted?.connection ?? null;
  }

  /** Whether both Close frames were exchanged: `wasClean` of the close event. */
  get endedCleanly(): boolean {
    return this.#info?.clean === true && !this.#hasFailed;
  }

  send(data?: unknown, options?: Callback | SendOptions, callback?: Callback): void {
    if (this.#state === CONNECTING) throw notOpen(this.#state);
    const then = typeof options === "function" ? options : callback;
    const chosen = typeof options === "function" ? undefined : options;
    const payload = typeof data === "number" ? String(data) : data;
    if (this.#state !== OPEN) {
      this.#refuse(payload, then);
      return;
    }
    if (chosen?.mask !== undefined && chosen.mask === this._isServer) throw new TypeError(WRONG_MASK);
    this.#outgoing?.send(payload, chosen, then);
  }

  ping(data?: unknown, mask?: Callback | boolean, callback?: Callback): void {
    this.#control("ping", data, mask, callback);
  }

  pong(data?: unknown, mask?: Callback | boolean, callback?: Callback): void {
    this.#control("pong", data, mask, callback);
  }

  close(code?: number, data?: Uint8Array | string): void {
    if (this.#state === CLOSED || this.#state === CLOSING) return;
    if (this.#state === CONNECTING) {
      this.#abortHandshake();
      return;
    }
    const { code: sent, reason } = checkCloseArguments(code, data);
    this.#state = CLOSING;
    this.#outgoing?.close(sent, reason);
  }

  terminate(): void {
    if (this.#state === CLOSED) return;
    if (this.#state === CONNECTING) {
      this.#abortHandshake();
      return;
    }
    this.#state = CLOSING;
    this.#adopted?.terminate();
  }

  pause(): void {
    if (this.#state === CONNECTING || this.#state === CLOSED) return;
    this.#isPaused = true;
    this.#adopted?.pause();
  }

  resume(): void {
    if (this.#state === CONNECTING || this.#state === CLOSED) return;
    this.#isPaused = false;
    this.#adopted?.resume();
  }

  addEventListener(type: string, handler: never, options?: { once?: boolean }): void {
    addEventListener(this, type, handler, { once: options?.once === true });
  }

  removeEventListener(type: string, handler: never): void {
    removeEventListener(this, type, handler);
  }

  /**
   * Opens this WebSocket over a stream on which the opening handshake is complete, and emits `open`.
   *
   * @param head bytes that were read with the handshake
   */
  setSocket(socket: Duplex, head: Buffer, options: ConnectionOptions, upgrade: Upgrade | null = null): void {
    const adopter = upgrade?.adopter ?? createAdopter(this._isServer ? "server" : "client", options);
    const handshake = upgrade?.handshake ?? UNKNOWN_HANDSHAKE;
    const { setTimeout, setNoDelay } = socket as Partial<Record<"setNoDelay" | "setTimeout", unknown>>;
    if (typeof setTimeout === "function") setTimeout.call(socket, 0);
    if (typeof setNoDelay === "function") setNoDelay.call(socket);
    this._socket = socket;
    this._req = null;
    this.#protocol = handshake.subprotocol ?? "";
    this.#compression = handshake.compression;
    this.#adopted = adopter.adopt(socket, head, new Receiver(this), handshake);
    this.#outgoing = new Outgoing(this.#adopted, {
      isCompressed: this.#compression !== null,
      hasEnded: () => this.#state === CLOSED || socket.destroyed,
      onUnreadable: (error) => this.#onUnreadable(error),
    });
    this.#state = OPEN;
    this.emit("open");
  }

  // Used by the client's handshake.

  /** @internal */
  set _url(url: string) {
    this.#url = url;
  }

  /** The handshake failed: emits `error` and `close`. @internal */
  _fail(error: Error): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSING;
    this.#hasEmittedError = true;
    this.emit("error", error);
    this._emitClose();
  }

  /** The handshake will fail, in a later tick. @internal */
  _beginFailing(): void {
    this.#state = CLOSING;
  }

  /** @internal */
  _emitClose(): void {
    this.#state = CLOSED;
    this.emit("close", 1006, EMPTY_BUFFER);
  }

  #abortHandshake(): void {
    this._abort?.(new Error("WebSocket was closed before the connection was established"));
  }

  #control(
    type: "ping" | "pong",
    data: unknown,
    mask: Callback | boolean | undefined,
    callback: Callback | undefined,
  ): void {
    if (this.#state === CONNECTING) throw notOpen(this.#state);
    const isLeftOut = typeof data === "function";
    const then = isLeftOut ? (data as Callback) : typeof mask === "function" ? mask : callback;
    const given = isLeftOut ? undefined : typeof data === "number" ? String(data) : data;
    if (this.#state !== OPEN) {
      this.#refuse(given, then);
      return;
    }
    if (typeof mask === "boolean" && !isLeftOut && mask === this._isServer) throw new TypeError(WRONG_MASK);
    if (isBlob(given)) {
      throw new TypeError(`Expected a string or bytes for ${type}(), got a Blob. Read it first.`);
    }
    this.#outgoing?.control(type, controlPayload(given), then);
  }

  /** The connection is closing or closed. */
  #refuse(data: unknown, callback: Callback | undefined): void {
    this.#refusedBytes += sizeOf(data);
    if (callback !== undefined) process.nextTick(callback, notOpen(this.#state));
  }

  #deliver(payload: Buffer, isText: boolean): void {
    if (payload.length === 0) payload = EMPTY_BUFFER; // It does not keep the memory of the chunk.
    if (isText || this.#binaryType === "nodebuffer") this.emit("message", payload, !isText);
    else this.emit("message", inForm(this.#binaryType, payload), true);
    if (this.#options.allowSynchronousEvents === false) this.#yieldTurn();
  }

  /** The next event follows in a later turn of the event loop. */
  #yieldTurn(): void {
    this.#adopted?.pause();
    setImmediate(() => {
      if (!this.#isPaused) this.#adopted?.resume();
    });
  }

  /** The peer closes the connection. `ws` answers at once. */
  #onClosing(): void {
    this.#state = CLOSING;
    this.#outgoing?.answerClose();
  }

  #onFailure(error: Error): void {
    this.#state = CLOSING;
    this.#hasFailed = true;
    this.#emitErrorOnce(frameError(error));
  }

  /** A Blob could not be read, so that the messages after it cannot be sent either. */
  #onUnreadable(error: Error): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSING;
    this._socket?.end();
    this.#emitErrorOnce(error);
  }

  #emitErrorOnce(error: Error): void {
    if (this.#hasEmittedError) return;
    this.#hasEmittedError = true;
    this.emit("error", error);
  }

  #onEnded(info: CloseInfo): void {
    this.#state = CLOSING;
    this.#info = info;
    try {
      this.#outgoing?.end();
    } finally {
      this.#state = CLOSED;
      const isKnown = info.received !== null && !this.#hasFailed;
      const reason =
        isKnown && info.received.reason !== "" ? Buffer.from(info.received.reason) : EMPTY_BUFFER;
      this.emit("close", isKnown ? info.received.code : 1006, reason);
    }
  }
}

/** Receives the events of the connection for a WebSocket, which has methods of the same names. */
class Receiver implements AdoptedHandler {
  readonly #target: WebSocket;

  constructor(target: WebSocket) {
    this.#target = target;
  }

  onMessage(payload: Buffer, isText: boolean): void {
    received.message(this.#target, payload, isText);
  }

  onPing(payload: Buffer): void {
    this.#target.emit("ping", payload);
  }

  onPong(payload: Buffer, isKeepalive: boolean): void {
    if (!isKeepalive) this.#target.emit("pong", payload); // The application sees only the pongs of its pings.
  }

  onClosing(): void {
    received.closing(this.#target);
  }

  onFailure(error: Error): void {
    received.failure(this.#target, error);
  }

  onEnded(info: CloseInfo): void {
    received.ended(this.#target, info);
  }
}

for (const [state, name] of STATE_NAMES.entries()) {
  for (const object of [WebSocket, WebSocket.prototype]) {
    Object.defineProperty(object, name, {
      enumerable: true,
      configurable: false,
      writable: false,
      value: state,
    });
  }
}

for (const name of [
  ...["binaryType", "bufferedAmount", "extensions", "isPaused", "protocol", "readyState", "url"],
  ...["holdfast"],
]) {
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
}

defineAttributes(WebSocket.prototype);

const WRONG_MASK =
  "Expected no other `mask` than the role's: a client masks its frames and a server does not (RFC 6455 section 5.1). Remove the option.";

function notOpen(state: ReadyState): Error {
  return new Error(`WebSocket is not open: readyState ${state} (${STATE_NAMES[state]})`);
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
