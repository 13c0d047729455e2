// A transport over a stream of bytes: RFC 6455's frames, between a protocol that does no I/O and a byte stream. This is
// its receiving half, and its beginning and end; the outbox is the other half.

import type { CloseFrame } from "../../shared/close-code.js";
import type { Role } from "../../shared/role.js";
import { closeOf, type ProtocolFailure } from "../../protocol/extension.js";
import { FrameMirror } from "../../protocol/frame/frame-mirror.js";
import type { MessageHandler } from "../../protocol/message/message-reader.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import type { Address, ByteStreamHandler } from "../../connection/ports.js";
import type {
  MessageTransport,
  MessageTransportHandler,
  MessageTransportFactory,
} from "../../connection/message-transport.js";
import { causeOfError, causeOfFailure, type TransportError } from "./failure-cause.js";
import { MessageSender } from "./message-sender.js";
import type { OutboxOptions } from "./outbox.js";
import type { ReceiveMeter } from "./receive-meter.js";

export interface FrameTransportOptions extends OutboxOptions {
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

const NOTHING_LATE: readonly (() => void)[] = [];

class FrameTransport extends MessageSender implements MessageTransport, ByteStreamHandler {
  bytesReceived = 0;
  lastReceivedAt: number;
  readonly canPing = true;
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
  /** The transport went while a message was being decoded: that is told first. */
  #isClosedLate = false;
  #isClosed = false;

  constructor(options: FrameTransportOptions, handler: MessageTransportHandler) {
    const meter = options.meter ?? null;
    super(options, handler, meter === null ? handler : metered(handler, meter));
    this.#meter = meter;
    this.#early = options.rest;
    this.#tellsLater = options.tellsLater === true;
    this.lastReceivedAt = options.runtime.clock.now();
    this.#turnBegan = this.lastReceivedAt;
  }

  get role(): Role {
    return this.protocol.role;
  }

  get remoteAddress(): Address | null {
    return this.stream.remoteAddress;
  }

  get localAddress(): Address | null {
    return this.stream.localAddress;
  }

  get closeSent(): CloseFrame | null {
    return this.protocol.closeSent;
  }

  get closeReceived(): CloseFrame | null {
    return this.protocol.closeReceived;
  }

  get receivedFirst(): boolean {
    return this.protocol.receivedFirst;
  }

  start(): void {
    const watcher = this.handler.frameObserver;
    if (watcher !== null) {
      this.#mirror = new FrameMirror((frame) => watcher.onFrameReceived(frame));
      this.watch(watcher);
    }
    this.stream.start(this);
    this.flush();
    // Where the opening is told by a promise, TLS and HTTP/2 may bring the next frames before it has been heard.
    const mustWait = this.role === "client" || (this.#early?.length ?? 0) > 0;
    if (!this.#tellsLater || !mustWait) {
      this.#tellEarly();
      return;
    }
    this.stream.pause();
    this.runtime.clock.afterPoll(() => {
      if (this.#early === null) return; // The end of the transport came first.
      this.#tellEarly();
      if (!this.protocol.isPaused && !this.protocol.isDecoding) this.stream.resume();
    });
  }

  override queueClose(close: CloseFrame, isUrgent: boolean): void {
    super.queueClose(close, isUrgent);
    if (this.protocol.closeReceived !== null) this.#endFirst();
  }

  pause(): boolean {
    this.stream.pause();
    this.protocol.pause();
    return true;
  }

  resume(): void {
    this.protocol.unpause();
    if (this.#early === null) this.#readOn();
  }

  streamTo(sink: PieceHandler | null): void {
    if (sink !== null) this.#meter?.onMessage();
    this.protocol.streamTo(sink);
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.protocol.dropMessages();
    this.flushClose();
    this.destroy();
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
    this.#tellEnd(() => this.handler.onEof());
  }

  onError(error: TransportError): void {
    this.#tellEarly();
    this.#tellEnd(() => this.handler.onError(causeOfError(error), error));
  }

  onDrain(): void {
    this.flush();
  }

  onClosed(): void {
    this.#tellEarly();
    // What was received before the end is told before it, also while it is being decoded.
    this.#isClosedLate = this.protocol.isDecoding && !this.#isAbandoned;
    if (this.#isClosedLate) return;
    this.#hasAll = true;
    this.#isClosed = true;
    this.protocol.end();
    this.handler.onClosed();
  }

  // What the peer sent.

  onClose(close: CloseFrame): void {
    this.handler.onClose(close);
    this.#endFirst();
  }

  onFailure(failure: ProtocolFailure): void {
    this.handler.onFailure({ cause: causeOfFailure(failure), error: failure, close: closeOf(failure) });
    this.#endFirst();
  }

  /** What comes behind the message that is being decoded waits in the kernel. */
  onDecodingBegun(): void {
    this.stream.pause();
    this.handler.onDecodingBegun();
  }

  onDecodingEnded(): void {
    if (this.#isClosed) return;
    this.cork();
    if (this.#isClosedLate) this.protocol.unpause();
    else this.handler.onDecodingEnded();
    this.protocol.resume();
    this.uncork();
    this.#tellLate();
  }

  /**
   * The transport alone stops reading, and only for a turn: to the heartbeat this is no pause, which would excuse a
   * peer that sends no pongs.
   */
  mustYield(): boolean {
    if (this.#hasAll || this.runtime.clock.now() - this.#turnBegan < TIME_PER_TURN) return false;
    this.stream.pause();
    this.runtime.clock.afterPoll(() => this.#continue());
    return true;
  }

  /** A turn after `mustYield`. */
  #continue(): void {
    this.protocol.endYield();
    if (this.#isClosed) return;
    this.#turnBegan = this.runtime.clock.now();
    this.cork();
    if (this.#isClosedLate) this.protocol.unpause();
    if (this.protocol.isPaused)
      this.protocol.pause(); // Meanwhile: now the Pings and Pongs that wait are served.
    else this.protocol.resume();
    this.uncork();
    if (!this.#isClosedLate) this.#readOn();
    this.#tellLate();
  }

  /** The messages that wait come first: a Close among them says how the connection ended. */
  #tellEnd(tell: () => void): void {
    if (this.protocol.isDecoding && !this.#isAbandoned) {
      this.#late = [...this.#late, tell];
      return;
    }
    this.#hasAll = true;
    tell();
  }

  /** Tells what the transport told while messages waited. */
  #tellLate(): void {
    if (this.protocol.isDecoding) return;
    const late = this.#late;
    this.#late = NOTHING_LATE;
    for (const tell of late) this.#tellEnd(tell);
    if (this.#isClosedLate && !this.#isClosed) this.onClosed();
  }

  #readOn(): void {
    if (!this.protocol.isPaused && !this.protocol.isDecoding) this.stream.resume();
  }

  /** Returns how many bytes had to be copied. */
  #receive(chunk: Uint8Array, isLent: boolean): number {
    const { length } = chunk;
    this.lastReceivedAt = this.runtime.clock.now();
    if (this.#early !== null) {
      this.#early = Buffer.concat([this.#early, chunk]);
      return length;
    }
    this.bytesReceived += length;
    this.#turnBegan = this.lastReceivedAt;
    this.#mirror?.push(chunk);
    this.cork();
    this.protocol.receive(chunk, isLent);
    this.uncork();
    this.#meter?.onBytes(length);
    return this.protocol.copiedBytes;
  }

  /** Section 7.1.1: the server closes the TCP connection first, so that the client is not left in TIME_WAIT. */
  #endFirst(): void {
    if (this.role === "server" && this.closeSent !== null) this.end();
  }

  #tellEarly(): void {
    const early = this.#early;
    this.#early = null;
    if (early !== null && early.length > 0) this.onChunk(early);
  }
}

/** Counts the messages, each before it is delivered. */
function metered(handler: MessageTransportHandler, meter: ReceiveMeter): MessageHandler {
  return {
    onMessage(message) {
      meter.onMessage();
      handler.onMessage(message);
    },
    onPing: (payload) => handler.onPing(payload),
    onPong: (payload) => handler.onPong(payload),
  };
}
