// `WebSocket`: the class of `ws`, for both sides, over a connection of Holdfast.

import { EventEmitter } from "node:events";
import type { ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { Connection } from "holdfast";
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
import type { ReceiverView, SenderView } from "./internals.js";
import { OpenConnection, type Upgrade } from "./open-connection.js";
import type { ConnectionOptions } from "./options.js";
import type { Callback, SendOptions } from "./outgoing.js";
import { readProtocols } from "./subprotocols.js";

export type { SendOptions } from "./outgoing.js";

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

  /** The state before it is open, and after an opening handshake that failed. */
  #state: ReadyState = CONNECTING;
  #url = "";
  /** The choice before it is open. */
  #binaryType: BinaryType = "nodebuffer";
  #open: OpenConnection | null = null;
  /** Bytes given to `send()` after the closing began. */
  #refusedBytes = 0;

  /** @param address null for a connection that a server accepts */
  constructor(address: string | URL | null, protocols?: unknown, options?: ClientOptions) {
    super();
    this._isServer = address === null;
    if (address === null) return;
    const given = readProtocols(protocols, options);
    openClient(this, address, given.protocols, given.options ?? {});
  }

  get binaryType(): BinaryType {
    return this.#open?.binaryType ?? this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    if (!BINARY_TYPES.includes(type)) return;
    this.#binaryType = type;
    if (this.#open !== null) this.#open.binaryType = type;
  }

  /** Bytes that wait for the socket, and bytes that were sent too late. */
  get bufferedAmount(): number {
    return (this.#open?.outgoing.bufferedAmount ?? 0) + this.#refusedBytes;
  }

  get extensions(): string {
    return this.#open?.isCompressed === true ? "permessage-deflate" : "";
  }

  get isPaused(): boolean {
    return this.#open?.isPaused === true;
  }

  get protocol(): string {
    return this.#open?.protocol ?? "";
  }

  get readyState(): ReadyState {
    return this.#open?.readyState ?? this.#state;
  }

  get url(): string {
    return this.#url;
  }

  /** The connection of Holdfast, with its latency, statistics and the explanation of its end; null before it opens. */
  get holdfast(): Connection | null {
    return this.#open?.connection ?? null;
  }

  /** Whether both Close frames were exchanged: `wasClean` of the close event. */
  get endedCleanly(): boolean {
    return this.#open?.endedCleanly === true;
  }

  get _receiver(): ReceiverView | null {
    return this.#open?.receiver ?? null;
  }

  get _sender(): SenderView | null {
    return this.#open?.sender ?? null;
  }

  send(data?: unknown, options?: Callback | SendOptions, callback?: Callback): void {
    const open = this.#openOrThrow();
    const then = checkCallback(typeof options === "function" ? options : callback);
    const chosen = typeof options === "function" ? undefined : options;
    const payload = typeof data === "number" ? String(data) : data;
    if (open === null) {
      this.#refuse(payload, then);
      return;
    }
    if (chosen?.mask !== undefined && chosen.mask === this._isServer) throw new TypeError(WRONG_MASK);
    open.outgoing.send(payload, chosen, then);
  }

  ping(data?: unknown, mask?: Callback | boolean, callback?: Callback): void {
    this.#control("ping", data, mask, callback);
  }

  pong(data?: unknown, mask?: Callback | boolean, callback?: Callback): void {
    this.#control("pong", data, mask, callback);
  }

  close(code?: number, data?: Uint8Array | string): void {
    const state = this.readyState;
    if (state === CLOSED || state === CLOSING) return;
    if (this.#open === null) {
      this.#abortHandshake();
      return;
    }
    const { code: sent, reason } = checkCloseArguments(code, data);
    this.#open.close(sent, reason);
  }

  terminate(): void {
    if (this.readyState === CLOSED) return;
    if (this.#open === null) this.#abortHandshake();
    else this.#open.terminate();
  }

  pause(): void {
    if (this.readyState !== CLOSED) this.#open?.pause();
  }

  resume(): void {
    if (this.readyState !== CLOSED) this.#open?.resume();
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
    const owner = { target: this, isServer: this._isServer, binaryType: this.#binaryType };
    this._socket = socket;
    this._req = null;
    this.#open = new OpenConnection(owner, socket, head, options, upgrade);
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
    const open = this.#openOrThrow();
    const isLeftOut = typeof data === "function";
    const then = checkCallback(isLeftOut ? data : typeof mask === "function" ? mask : callback);
    const given = isLeftOut ? undefined : typeof data === "number" ? String(data) : data;
    if (open === null) {
      this.#refuse(given, then);
      return;
    }
    if (typeof mask === "boolean" && !isLeftOut && mask === this._isServer) throw new TypeError(WRONG_MASK);
    if (isBlob(given)) {
      throw new TypeError(`Expected a string or bytes for ${type}(), got a Blob. Read it first.`);
    }
    open.outgoing.control(type, controlPayload(given), then);
  }

  /** Null if it is closing or closed. */
  #openOrThrow(): OpenConnection | null {
    const state = this.readyState;
    if (state === CONNECTING) throw notOpen(state);
    return state === OPEN ? this.#open : null;
  }

  /** The connection is closing or closed. */
  #refuse(data: unknown, callback: Callback | undefined): void {
    this.#refusedBytes += sizeOf(data);
    if (callback !== undefined) process.nextTick(callback, notOpen(this.readyState));
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

/** As in `ws`, null and false are no callback. */
function checkCallback(callback: unknown): Callback | undefined {
  if (!callback) return undefined;
  if (typeof callback === "function") return callback as Callback;
  throw new TypeError(`Expected a function as the callback, got a value of type ${typeof callback}.`);
}

function notOpen(state: ReadyState): Error {
  return new Error(`WebSocket is not open: readyState ${state} (${STATE_NAMES[state]})`);
}
