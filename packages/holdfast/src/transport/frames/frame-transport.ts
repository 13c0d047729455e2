// A wire over a stream of bytes: RFC 6455's frames, between a protocol that does no I/O and a transport.

/* eslint max-lines: ["warn", { "max": 370, "skipBlankLines": true, "skipComments": true }] -- One method for each of a wire, and for each thing that a transport and a protocol tell it. */

import { BINARY, CONTINUATION, FIN, TEXT } from "../../shared/opcode.js";
import type { CloseFrame } from "../../shared/close-code.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { closeOf, type MessageExtension, type ProtocolFailure } from "../../protocol/extension.js";
import { FrameMirror } from "../../protocol/frame/frame-mirror.js";
import type { MessageHandler } from "../../protocol/message/message-reader.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import type { TextBytes, TextForm } from "../../shared/text-bytes.js";
import { isValidText } from "../../protocol/message/utf8.js";
import { Protocol } from "../../protocol/protocol.js";
import type { Role } from "../../shared/role.js";
import type { Message } from "../../connection/inbox.js";
import type { Address, Clock, ByteStream, ByteStreamHandler } from "../../connection/ports.js";
import type {
  Fragment,
  FrameObserver,
  SendSettings,
  SharedMessage,
  MessageTransport,
  MessageTransportHandler,
  MessageTransportFactory,
} from "../../connection/message-transport.js";
import { causeOfError, causeOfFailure, type TransportError } from "./failure-cause.js";
import type { FrameRuntime } from "./frame-runtime.js";
import { UNTRACKED } from "./encoded-messages.js";
import { Outbox, type OutboxHandler } from "./outbox.js";
import type { ReceiveMeter } from "./receive-meter.js";
import { SharedFrames } from "./shared-frames.js";

export interface FrameTransportOptions {
  readonly runtime: FrameRuntime;
  readonly transport: ByteStream;
  readonly role: Role;
  readonly settings: {
    readonly maxMessageSize: number | null;
    readonly writeLimit: number;
    /** @default "string" */
    readonly text?: TextForm;
  };
  /** As negotiated; null for none. */
  readonly extension: MessageExtension | null;
  /** Goes out ahead of everything else: a server's answer to the upgrade. Null for nothing. */
  readonly preface: Uint8Array | null;
  /** What came glued to the handshake: the first bytes of the first frames. */
  readonly rest: Uint8Array;
  /** Counts what the peer sends. Absent or null where nothing limits it. */
  readonly meter?: ReceiveMeter | null;
  /**
   * Whether what arrives in the turn that opens the connection is told in a later one: the application has the
   * connection by then, and may have added listeners. @default false
   */
  readonly tellsLater?: boolean;
}

/** With more bytes handed out of a lent chunk, copying them costs more than memory for a chunk to keep. */
const COPIED_AT_MOST = 8 * 1024;

/**
 * Milliseconds of one turn of the event loop that a connection takes for what it received, callbacks included. The rest
 * waits for the next turn, so that no peer delays the other connections by more, whatever it sends. A chunk of 64 KiB
 * of small messages takes less, so that this is for attacks, and for callbacks that take long.
 */
const TIME_PER_TURN = 8;

/** For a connection over bytes. */
export function overFrames(options: FrameTransportOptions): MessageTransportFactory {
  return (handler) => new FrameTransport(options, handler);
}

interface HeldMessage {
  readonly message: Message;
  readonly onSent: () => void;
  /** Once it was handed over. */
  takeBack: (() => void) | null;
}

const NOTHING_HELD: readonly HeldMessage[] = [];
const NOTHING_LATE: readonly (() => void)[] = [];

class FrameTransport implements MessageTransport, ByteStreamHandler, MessageHandler, OutboxHandler {
  bytesReceived = 0;
  lastReceivedAt: number;
  readonly canPing = true;
  readonly #clock: Clock;
  readonly #transport: ByteStream;
  readonly #handler: MessageTransportHandler;
  readonly #protocol: Protocol;
  readonly #outbox: Outbox;
  readonly #meter: ReceiveMeter | null;
  /** Shows what arrives; null where nobody looks. */
  #mirror: FrameMirror | null = null;
  /** What arrived before the application may have added listeners; null from then on. */
  #early: Uint8Array | null;
  readonly #tellsLater: boolean;
  /** The ends of the transport that are told once the messages before them were. */
  #late = NOTHING_LATE;
  /** Nothing more comes: the link takes in what waits, all of it within one call. */
  #hasAll = false;
  /** When this turn's work on what was received began. */
  #turnBegan: number;
  #isAbandoned = false;
  /** A message is being sent in fragments, and its last one is not there yet. */
  #isAmidMessage = false;
  /** What has to go out ahead of others, and behind that message. */
  #held: readonly HeldMessage[] = NOTHING_HELD;
  /** The transport went while a message was being decoded: that is told first. */
  #isClosedLate = false;
  #isClosed = false;

  constructor(options: FrameTransportOptions, handler: MessageTransportHandler) {
    const { runtime, transport, settings } = options;
    this.#clock = runtime.clock;
    this.#transport = transport;
    this.#handler = handler;
    this.#early = options.rest;
    this.#tellsLater = options.tellsLater === true;
    this.#meter = options.meter ?? null;
    this.lastReceivedAt = runtime.clock.now();
    this.#turnBegan = this.lastReceivedAt;
    this.#protocol = new Protocol(this, {
      encoder: options.role === "client" ? runtime.clientEncoder : runtime.serverEncoder,
      maxMessageSize: settings.maxMessageSize,
      text: settings.text ?? "string",
      extension: options.extension,
    });
    this.#outbox = new Outbox({
      runtime,
      transport,
      protocol: this.#protocol,
      events: this,
      writeLimit: settings.writeLimit,
      preface: options.preface,
    });
  }

  get role(): Role {
    return this.#protocol.role;
  }

  get remoteAddress(): Address | null {
    return this.#transport.remoteAddress;
  }

  get localAddress(): Address | null {
    return this.#transport.localAddress;
  }

  get bufferedAmount(): number {
    return this.#outbox.bufferedAmount;
  }

  get unsentBytes(): number {
    return this.#outbox.unsentBytes;
  }

  get bytesSent(): number {
    return this.#outbox.bytesSent;
  }

  get lastSentAt(): number | null {
    return this.#outbox.lastSentAt;
  }

  get closeSent(): CloseFrame | null {
    return this.#protocol.closeSent;
  }

  get closeReceived(): CloseFrame | null {
    return this.#protocol.closeReceived;
  }

  get receivedFirst(): boolean {
    return this.#protocol.receivedFirst;
  }

  start(): void {
    const watcher = this.#handler.frameObserver;
    if (watcher !== null) this.#watch(watcher);
    this.#transport.start(this);
    this.#outbox.flush();
    // Where the opening is told by a promise, TLS and HTTP/2 may bring the next frames before it has been heard.
    const mustWait = this.role === "client" || (this.#early?.length ?? 0) > 0;
    if (!this.#tellsLater || !mustWait) {
      this.#tellEarly();
      return;
    }
    this.#transport.pause();
    this.#clock.afterPoll(() => {
      if (this.#early === null) return; // The end of the transport came first.
      this.#tellEarly();
      if (!this.#protocol.isPaused && !this.#protocol.isDecoding) this.#transport.resume();
    });
  }

  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    if (typeof text !== "string" && !isValidText(text)) {
      throw new InvalidArgumentError("Expected `data` to be UTF-8, as text has to be, got other bytes");
    }
    return this.#outbox.sendText(text, settings);
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.#outbox.sendBinary(payload, settings);
  }

  /** RFC 6455 section 5.4. */
  sendFragment({ type, payload, isFirst, isLast }: Fragment): Promise<void> {
    const opcode = isFirst ? (type === "text" ? TEXT : BINARY) : CONTINUATION;
    const sent = this.#outbox.sendFrame(isLast ? FIN | opcode : opcode, payload, UNTRACKED);
    this.#isAmidMessage = !isLast;
    if (isLast && this.#held.length > 0) this.#sendHeld();
    return sent;
  }

  sendAhead(message: Message, onSent: () => void): () => void {
    if (!this.#isAmidMessage) return this.#outbox.sendAhead(message, onSent);
    const held: HeldMessage = { message, onSent, takeBack: null };
    this.#held = [...this.#held, held];
    return () => {
      this.#held = this.#held.filter((other) => other !== held);
      held.takeBack?.();
    };
  }

  sendShared(message: SharedMessage): boolean {
    // Section 5.3: a client masks each frame with a key of its own.
    if (this.#protocol.role === "client" || !(message instanceof SharedFrames)) return false;
    this.#outbox.sendShared(message);
    return true;
  }

  queuePing(key: string, payload: Uint8Array): void {
    this.#outbox.queuePing(key, payload);
  }

  abandonPing(key: string): void {
    this.#outbox.abandonPing(key);
  }

  queuePong(payload: Uint8Array): void {
    this.#outbox.queuePong(payload);
  }

  queueClose(close: CloseFrame, isUrgent: boolean): void {
    this.#outbox.queueClose(close, isUrgent);
    if (this.#protocol.closeReceived !== null) this.#endFirst();
  }

  hurryClose(): void {
    this.#outbox.hurryClose();
  }

  flush(): void {
    this.#outbox.flush();
  }

  pause(): boolean {
    this.#transport.pause();
    this.#protocol.pause();
    return true;
  }

  resume(): void {
    this.#protocol.unpause();
    if (this.#early === null) this.#readOn();
  }

  streamTo(sink: PieceHandler | null): void {
    if (sink !== null) this.#meter?.onMessage();
    this.#protocol.streamTo(sink);
  }

  end(): void {
    this.#outbox.end();
  }

  destroy(): void {
    this.#outbox.stop();
    this.#transport.destroy();
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#outbox.flushClose();
    this.destroy();
  }

  fail(closedError: () => Error): void {
    this.#outbox.fail(closedError);
  }

  // What the transport tells.

  onChunk(chunk: Uint8Array): void {
    this.#receive(chunk, false);
  }

  onSharedChunk(chunk: Uint8Array): boolean {
    return this.#receive(chunk, true) > COPIED_AT_MOST;
  }

  onEof(): void {
    this.#tellEarly();
    this.#tellEnd(() => this.#handler.onEof());
  }

  onError(error: TransportError): void {
    this.#tellEarly();
    this.#tellEnd(() => this.#handler.onError(causeOfError(error), error));
  }

  onDrain(): void {
    this.#outbox.flush();
  }

  onClosed(): void {
    this.#tellEarly();
    // What was received before the end is told before it, also while it is being decoded.
    this.#isClosedLate = this.#protocol.isDecoding && !this.#isAbandoned;
    if (this.#isClosedLate) return;
    this.#hasAll = true;
    this.#isClosed = true;
    this.#protocol.extension?.end?.();
    this.#handler.onClosed();
  }

  // What the peer sent.

  onText(text: string): void {
    this.#meter?.onMessage();
    if (!this.#isAbandoned) this.#handler.onMessage(text); // It is, where a callback did so while this chunk is parsed.
  }

  onBinary(bytes: Uint8Array): void {
    this.#meter?.onMessage();
    if (!this.#isAbandoned) this.#handler.onMessage(bytes);
  }

  onPing(payload: Uint8Array): void {
    this.#handler.onPing(payload);
  }

  onPong(payload: Uint8Array): void {
    this.#handler.onPong(payload);
  }

  onClose(close: CloseFrame): void {
    this.#handler.onClose(close);
    this.#endFirst();
  }

  onFailure(failure: ProtocolFailure): void {
    this.#handler.onFailure({ cause: causeOfFailure(failure), error: failure, close: closeOf(failure) });
    this.#endFirst();
  }

  /** What comes behind the message that is being decoded waits in the kernel. */
  onDecodingBegun(): void {
    this.#transport.pause();
    this.#handler.onDecodingBegun();
  }

  onDecodingEnded(): void {
    if (this.#isClosed) return;
    this.#outbox.cork();
    if (this.#isClosedLate) this.#protocol.unpause();
    else this.#handler.onDecodingEnded();
    this.#protocol.resume();
    this.#outbox.uncork(this.#handler.hasBusyReader);
    this.#tellLate();
  }

  /**
   * The transport alone stops reading, and only for a turn: to the heartbeat this is no pause, which would excuse a
   * peer that sends no pongs.
   */
  mustYield(): boolean {
    if (this.#hasAll || this.#clock.now() - this.#turnBegan < TIME_PER_TURN) return false;
    this.#transport.pause();
    this.#clock.afterPoll(() => this.#continue());
    return true;
  }

  /** A turn after `mustYield`. */
  #continue(): void {
    this.#protocol.endYield();
    if (this.#isClosed) return;
    this.#turnBegan = this.#clock.now();
    this.#outbox.cork();
    if (this.#isClosedLate) this.#protocol.unpause();
    if (this.#protocol.isPaused)
      this.#protocol.pause(); // Meanwhile: now the Pings and Pongs that wait are served.
    else this.#protocol.resume();
    this.#outbox.uncork(this.#handler.hasBusyReader);
    if (!this.#isClosedLate) this.#readOn();
    this.#tellLate();
  }

  /** The messages that wait come first: a Close among them says how the connection ended. */
  #tellEnd(tell: () => void): void {
    if (this.#protocol.isDecoding && !this.#isAbandoned) {
      this.#late = [...this.#late, tell];
      return;
    }
    this.#hasAll = true;
    tell();
  }

  /** Tells what the transport told while messages waited. */
  #tellLate(): void {
    if (this.#protocol.isDecoding) return;
    const late = this.#late;
    this.#late = NOTHING_LATE;
    for (const tell of late) this.#tellEnd(tell);
    if (this.#isClosedLate && !this.#isClosed) this.onClosed();
  }

  #readOn(): void {
    if (!this.#protocol.isPaused && !this.#protocol.isDecoding) this.#transport.resume();
  }

  // What the outbox tells.

  onPingSent(key: string): void {
    this.#handler.onPingSent(key);
  }

  /** Returns how many bytes had to be copied. */
  #receive(chunk: Uint8Array, isLent: boolean): number {
    const { length } = chunk;
    this.lastReceivedAt = this.#clock.now();
    if (this.#early !== null) {
      this.#early = Buffer.concat([this.#early, chunk]);
      return length;
    }
    this.bytesReceived += length;
    this.#turnBegan = this.lastReceivedAt;
    this.#mirror?.push(chunk);
    this.#outbox.cork();
    const copied = this.#protocol.receive(chunk, isLent);
    this.#outbox.uncork(this.#handler.hasBusyReader);
    this.#meter?.onBytes(length);
    return copied;
  }

  #tellEarly(): void {
    const early = this.#early;
    this.#early = null;
    if (early !== null && early.length > 0) this.onChunk(early);
  }

  #watch(watcher: FrameObserver): void {
    this.#mirror = new FrameMirror((frame) => watcher.onFrameReceived(frame));
    this.#outbox.watch((frame) => watcher.onFrameSent(frame));
  }

  onEncodingFailed(error: Error): void {
    this.#handler.onSendingFailed(error);
  }

  #sendHeld(): void {
    const held = this.#held;
    this.#held = NOTHING_HELD;
    for (const each of held) each.takeBack = this.#outbox.sendAhead(each.message, each.onSent);
  }

  /** Section 7.1.1: the server closes the TCP connection first, so that the client is not left in TIME_WAIT. */
  #endFirst(): void {
    if (this.#protocol.role === "server" && this.#protocol.closeSent !== null) this.#outbox.end();
  }
}
