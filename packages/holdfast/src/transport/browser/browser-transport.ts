// A `MessageTransport` over a browser's WebSocket. The browser delivers whole messages, answers the Close
// itself, and exposes no frames.

import type { CloseFrame } from "../../shared/close-code.js";
import { HoldfastError, MessageTooBigError } from "../../shared/errors.js";
import { decodeText, TextBytes } from "../../shared/text-bytes.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { Runtime } from "../../connection/runtime.js";
import type {
  Fragment,
  SendSettings,
  MessageTransport,
  MessageTransportHandler,
  MessageTransportFactory,
} from "../../connection/message-transport.js";
import { joinFragments } from "./join-fragments.js";
import { PageSendQueue } from "./page-send-queue.js";
import { exceeds } from "./text-size.js";

/**
 * Browsers cannot stop reading. While reading is paused, the transport accepts up to this many times
 * `maxQueue` in addition; beyond that it fails the connection to protect the page's memory.
 */
const SURPLUS = 16;

export interface BrowserTransportOptions {
  readonly runtime: Runtime;
  /** Open, with `binaryType` set to "arraybuffer". */
  readonly socket: WebSocket;
  readonly settings: Pick<
    ConnectionSettings,
    "maxMessageSize" | "maxQueuedBytes" | "maxQueuedMessages" | "text" | "writeLimit"
  >;
}

/** Creates the transport of a connection in a browser. */
export function overWebSocket(options: BrowserTransportOptions): MessageTransportFactory {
  return (handler) => new BrowserTransport(options, handler);
}

class BrowserTransport implements MessageTransport {
  readonly role = "client";
  readonly remoteAddress = null;
  readonly localAddress = null;
  readonly canPing = false;
  readonly answersClose = true;
  /** Payload bytes; text counts its UTF-16 code units. */
  bytesReceived = 0;
  bytesSent = 0;
  lastReceivedAt: number;
  lastSentAt: number | null = null;
  closeSent: CloseFrame | null = null;
  closeReceived: CloseFrame | null = null;
  receivedFirst = false;
  readonly #runtime: Runtime;
  readonly #socket: WebSocket;
  readonly #settings: BrowserTransportOptions["settings"];
  readonly #handler: MessageTransportHandler;
  readonly #queue: PageSendQueue;
  #fragments: Fragment[] = [];
  #pieceHandler: PieceHandler | null = null;
  /** The amount received since reading was paused; null while it is not paused. */
  #surplus: { messages: number; bytes: number } | null = null;
  #hasFailed = false;
  /** The browser has emitted `error`, which never has a reason. */
  #hasErred = false;
  #isGone = false;

  constructor({ runtime, socket, settings }: BrowserTransportOptions, handler: MessageTransportHandler) {
    this.#runtime = runtime;
    this.#socket = socket;
    this.#settings = settings;
    this.#handler = handler;
    this.lastReceivedAt = runtime.clock.now();
    this.#queue = new PageSendQueue({
      runtime,
      socket,
      writeLimit: settings.writeLimit,
      onHandedOver: (size) => {
        this.bytesSent += size;
        this.lastSentAt = runtime.clock.now();
      },
    });
  }

  get bufferedAmount(): number {
    return this.#queue.bufferedAmount;
  }

  get unsentBytes(): number {
    return this.#queue.unsentBytes;
  }

  start(): void {
    this.#socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.#onMessage(event.data);
    this.#socket.onerror = () => (this.#hasErred = true);
    this.#socket.onclose = (event) => this.#onClose(event);
  }

  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    return this.#queue.send(typeof text === "string" ? text : decodeText(text), settings);
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.#queue.send(payload, settings);
  }

  /** Joins the fragments: a page cannot send fragments, so the message is sent when it is complete. */
  sendFragment(fragment: Fragment): Promise<void> {
    this.#fragments.push(fragment);
    if (!fragment.isLast) return Promise.resolve();
    const message = joinFragments(this.#fragments);
    this.#fragments = [];
    return this.#queue.send(message, { signal: null, receipt: null });
  }

  sendAhead(message: string | Uint8Array, onSent: () => void): () => void {
    return this.#queue.sendAhead(message, onSent);
  }

  queuePing(): void {
    // A page cannot send pings: `canPing` is false.
  }

  abandonPing(): void {
    // A page cannot send pings.
  }

  queuePong(): void {
    // The browser answers pings, and pages never see them.
  }

  /**
   * Does nothing in reply to the peer's Close: the browser has sent its reply before it reports the Close.
   */
  queueClose(close: CloseFrame, isUrgent: boolean): void {
    if (this.closeReceived !== null) {
      this.closeSent = close;
      if (this.#socket.readyState === this.#socket.CLOSED) this.#leave();
      return;
    }
    const allowed = { code: allowedCode(close.code), reason: close.reason };
    this.closeSent = allowed;
    if (isUrgent) this.#queue.drop();
    this.#queue.whenEmpty(() => {
      if (allowed.code === 1005) this.#socket.close();
      else this.#socket.close(allowed.code, allowed.reason);
    });
  }

  flush(): void {
    // Nothing to flush: every message goes to the browser at once.
  }

  pause(): boolean {
    this.#surplus ??= { messages: 0, bytes: 0 };
    return false;
  }

  resume(): void {
    this.#surplus = null;
  }

  streamTo(handler: PieceHandler | null): void {
    this.#pieceHandler = handler;
  }

  end(): void {
    // The browser does this.
  }

  destroy(): void {
    this.#leave();
  }

  abandon(): void {
    this.#leave();
  }

  fail(closedError: () => Error): void {
    this.#queue.fail(closedError);
  }

  #onMessage(data: ArrayBuffer | string): void {
    this.lastReceivedAt = this.#runtime.clock.now();
    const message = this.#messageOf(data);
    this.bytesReceived += message.length;
    if (this.#hasFailed) return;
    const problem = this.#problemOf(message);
    if (problem === null) this.#deliver(message);
    else this.#fail(problem);
  }

  #messageOf(data: ArrayBuffer | string): Message {
    if (typeof data !== "string") return new Uint8Array(data);
    return this.#settings.text === "bytes" ? new TextBytes(encoder.encode(data)) : data;
  }

  #problemOf(message: Message): MessageTooBigError | null {
    const { maxMessageSize, maxQueuedBytes, maxQueuedMessages } = this.#settings;
    if (maxMessageSize !== null && exceeds(message, maxMessageSize)) {
      const text = `Expected a message of at most ${maxMessageSize} bytes, got one of ${message.length} or more.`;
      return new MessageTooBigError(text, message.length, maxMessageSize);
    }
    const surplus = this.#surplus;
    if (surplus === null) return null;
    surplus.messages++;
    surplus.bytes += message.length;
    if (surplus.messages <= SURPLUS * maxQueuedMessages && surplus.bytes <= SURPLUS * maxQueuedBytes)
      return null;
    const text = `Expected the application to keep up, got ${surplus.messages} messages of ${surplus.bytes} bytes beyond \`maxQueue\`. A browser cannot make the peer wait: read faster, or raise \`maxQueue\`.`;
    return new MessageTooBigError(text, surplus.bytes, SURPLUS * maxQueuedBytes);
  }

  #deliver(message: Message): void {
    const handler = this.#pieceHandler;
    if (handler === null) {
      this.#handler.onMessage(message);
      return;
    }
    this.#pieceHandler = null;
    if (message.length > 0) handler.onPiece(message);
    handler.onLastPiece();
  }

  #fail(error: MessageTooBigError): void {
    this.#hasFailed = true;
    this.#handler.onFailure({ cause: "message-too-big", error, close: { code: 1009, reason: "" } });
  }

  /**
   * Handles the end of the browser's connection. Code 1006 means that no Close was received (RFC 6455 section
   * 7.1.5).
   */
  #onClose({ code, reason }: CloseEvent): void {
    if (code === 1006) {
      if (this.#hasErred) this.#handler.onError("reset", new HoldfastError(FAILED_BY_BROWSER));
      else this.#handler.onEof();
      this.#leave();
      return;
    }
    this.lastReceivedAt = this.#runtime.clock.now();
    this.receivedFirst = this.closeSent === null;
    this.closeReceived = { code, reason };
    this.#handler.onClose(this.closeReceived);
    // Otherwise the Close must be reported to the application before its answer counts as sent.
    if (this.closeSent !== null) this.#leave();
  }

  /** Detaches from the browser's object, which may take a while to close. */
  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const socket = this.#socket;
    socket.onmessage = null;
    socket.onerror = null;
    socket.onclose = null;
    socket.close();
    this.#runtime.clock.atTurnEnd(() => this.#handler.onClosed());
  }
}

const encoder = new TextEncoder();

const FAILED_BY_BROWSER =
  "The browser ended the connection: the network failed, or the peer violated the protocol. See the browser's console.";

/**
 * A page may send 1000 and 3000–4999 (WHATWG WebSockets). Other codes are sent as private ones: 1001 as 4001,
 * 1011 as 4011, and so on. 1005 stands for an empty Close.
 */
function allowedCode(code: number): number {
  return code === 1000 || code === 1005 || code >= 3000 ? code : code + 3000;
}
