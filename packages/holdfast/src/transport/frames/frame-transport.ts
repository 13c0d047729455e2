// A transport over a byte stream: RFC 6455 frames, between a protocol that does no I/O and the stream. This file has
// the receiving half, the beginning and the end; the outbox has the sending half.

import type { CloseFrame } from "../../shared/close-code.js";
import type { Role } from "../../shared/role.js";
import { closeOf, type ProtocolFailure } from "../../protocol/extension.js";
import { FrameMirror } from "../../protocol/frame/frame-mirror.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import type { Address, ByteStreamHandler } from "../../connection/ports.js";
import type {
  FrameObserver,
  MessageTransport,
  MessageTransportHandler,
  MessageTransportFactory,
} from "../../connection/message-transport.js";
import { causeOfError, causeOfFailure, type TransportError } from "./failure-cause.js";
import { MessageSender } from "./message-sender.js";
import type { OutboxOptions } from "./outbox.js";
import { metered, type ReceiveMeter } from "./receive-meter.js";
import { TIME_PER_TURN } from "./turn-budget.js";

export interface FrameTransportOptions extends OutboxOptions {
  /** Bytes that arrived together with the handshake: the first frames. */
  readonly rest: Uint8Array;
  /** Counts what the peer sends. Absent or null without limits. */
  readonly meter?: ReceiveMeter | null;
  /**
   * Whether bytes that arrive in the turn that opens the connection are delivered in a later turn, when the application
   * has the connection and may have added listeners. @default false
   */
  readonly defersDelivery?: boolean;
  /** Whether the Close that reports a violation has no reason. @default false */
  readonly hidesReasons?: boolean;
  /** Whether this side ends TCP once both have closed, or the peer has failed. @default for a server */
  readonly endsFirst?: boolean;
}

/** If more bytes than this are copied out of a shared read buffer, a separate buffer for each chunk is cheaper. */
const COPIED_AT_MOST = 8 * 1024;

/** Makes the transport of a connection over a byte stream. */
export function overFrames(options: FrameTransportOptions): MessageTransportFactory {
  return (handler) => new FrameTransport(options, handler);
}

const NO_DEFERRED_ENDS: readonly (() => void)[] = [];

export class FrameTransport extends MessageSender implements MessageTransport, ByteStreamHandler {
  bytesReceived = 0;
  lastReceivedAt: number;
  readonly canPing = true;
  readonly #meter: ReceiveMeter | null;
  /** Reports received frames; null without an observer. */
  #mirror: Pick<FrameMirror, "push"> | null = null;
  /** Bytes received before delivery began; null from then on. */
  #initialBytes: Uint8Array | null;
  readonly #defersDelivery: boolean;
  readonly #hidesReasons: boolean;
  readonly #endsFirst: boolean;
  readonly #deliversViews: boolean;
  /** Ends of the stream to report after the messages that precede them. */
  #deferredEnds = NO_DEFERRED_ENDS;
  /** No more bytes will arrive: waiting messages are parsed within one call. */
  #hasAll = false;
  /** When this turn's work on received bytes began. */
  #turnBegan: number;
  #isAbandoned = false;
  /** The stream closed while a message was being decoded: the message is delivered first. */
  #isCloseDeferred = false;
  #isClosed = false;

  constructor(options: FrameTransportOptions, handler: MessageTransportHandler) {
    const meter = options.meter ?? null;
    super(options, handler, meter === null ? handler : metered(handler, meter));
    this.#meter = meter;
    this.#initialBytes = options.rest;
    this.#defersDelivery = options.defersDelivery === true;
    this.#hidesReasons = options.hidesReasons === true;
    this.#endsFirst = options.endsFirst ?? options.role === "server";
    this.#deliversViews = (options.onBytes ?? null) !== null;
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

  get isReceiving(): boolean {
    return this.protocol.isReceiving;
  }

  get receivedFirst(): boolean {
    return this.protocol.receivedFirst;
  }

  start(): void {
    this.refreshObserver();
    this.stream.start(this);
    this.flush();
    // The opening resolves a promise. TLS and HTTP/2 may deliver the next frames before its callbacks have run.
    const mustWait = this.role === "client" || (this.#initialBytes?.length ?? 0) > 0;
    if (!this.#defersDelivery || !mustWait) {
      this.#deliverInitialBytes();
      return;
    }
    this.stream.pause();
    this.runtime.clock.afterPoll(() => {
      if (this.#initialBytes === null) return; // The stream has already ended.
      this.#deliverInitialBytes();
      this.#resumeReading();
    });
  }

  refreshObserver(): void {
    const observer = this.handler.frameObserver;
    if ((observer === null) === (this.#mirror === null)) return;
    this.#mirror = observer && this.#mirrorFor(observer);
    this.observe(observer);
  }

  override queueClose(close: CloseFrame, isUrgent: boolean): void {
    super.queueClose(close, isUrgent);
    if (this.protocol.closeReceived !== null) this.#endAfterClose();
  }

  pause(): boolean {
    this.stream.pause();
    this.protocol.pause();
    return true;
  }

  resume(): void {
    this.protocol.unpause();
    if (this.#initialBytes === null) this.#resumeReading();
  }

  streamTo(handler: PieceHandler | null): void {
    if (handler !== null) this.#meter?.onMessage(null);
    this.protocol.streamTo(handler);
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.protocol.dropMessages();
    this.flushClose();
    this.destroy();
  }

  // Events of the byte stream.

  onChunk(chunk: Uint8Array): void {
    this.#receive(chunk, false);
  }

  onSharedChunk(chunk: Uint8Array): boolean {
    if (!this.#deliversViews) return this.#receive(chunk, true) > COPIED_AT_MOST;
    // Every message is a view: one copy of the chunk costs less than one of each message.
    this.#receive(Buffer.from(chunk), false);
    return chunk.length > COPIED_AT_MOST;
  }

  onEof(): void {
    this.#deliverInitialBytes();
    this.#reportEnd(() => this.handler.onEof());
  }

  onError(error: TransportError): void {
    this.#deliverInitialBytes();
    this.#reportEnd(() => this.handler.onError(causeOfError(error), error));
  }

  onDrain(): void {
    this.flush();
  }

  onClosed(): void {
    this.#deliverInitialBytes();
    // Messages received before the end are delivered before it, even if one is still being decoded.
    this.#isCloseDeferred = this.protocol.isDecoding && !this.#isAbandoned;
    if (this.#isCloseDeferred) return;
    this.#hasAll = true;
    this.#isClosed = true;
    this.protocol.end();
    this.handler.onClosed();
  }

  // Events of the protocol.

  onClose(close: CloseFrame): void {
    this.handler.onClose(close);
    this.#endAfterClose();
  }

  onFailure(failure: ProtocolFailure): void {
    const close = this.#hidesReasons ? { ...closeOf(failure), reason: "" } : closeOf(failure);
    this.handler.onFailure({ cause: causeOfFailure(failure), error: failure, close });
    this.#endAfterClose();
  }

  onLargeMessage(size: number): void {
    this.handler.onLargeMessage?.(size);
  }

  /** While a message is being decoded, later ones wait in the kernel. */
  onDecodingBegun(): void {
    this.stream.pause();
    this.handler.onDecodingBegun();
  }

  onDecodingEnded(): void {
    if (this.#isClosed) return;
    this.cork();
    if (this.#isCloseDeferred) this.protocol.unpause();
    else this.handler.onDecodingEnded();
    this.protocol.resume();
    this.uncork();
    this.#reportDeferredEnds();
  }

  /**
   * The rest of the received bytes waits for the next turn, so that no peer delays the other connections longer than
   * `TIME_PER_TURN`, callbacks included. A chunk of 64 KiB of small messages takes less, so only attacks and slow callbacks
   * reach the limit.
   *
   * Only the transport stops reading, for one turn. The heartbeat must not see this as a pause, which would excuse a
   * peer that sends no pongs.
   */
  mustYield(): boolean {
    if (this.#hasAll || this.runtime.clock.now() - this.#turnBegan < TIME_PER_TURN) return false;
    this.stream.pause();
    this.runtime.clock.afterPoll(() => this.#endYield());
    return true;
  }

  /** Continues in the turn after `mustYield`. */
  #endYield(): void {
    this.protocol.endYield();
    if (this.#isClosed) return;
    this.#turnBegan = this.runtime.clock.now();
    this.cork();
    if (this.#isCloseDeferred) this.protocol.unpause();
    if (this.protocol.isPaused)
      this.protocol.pause(); // Paused meanwhile: handle only the Pings and Pongs that wait.
    else this.protocol.resume();
    this.uncork();
    if (!this.#isCloseDeferred) this.#resumeReading();
    this.#reportDeferredEnds();
  }

  /** Waiting messages come first: a Close among them determines how the connection ended. */
  #reportEnd(report: () => void): void {
    if (this.protocol.isDecoding && !this.#isAbandoned) {
      this.#deferredEnds = [...this.#deferredEnds, report];
      return;
    }
    this.#hasAll = true;
    report();
  }

  /** Reports the ends of the stream that waited for messages. */
  #reportDeferredEnds(): void {
    if (this.protocol.isDecoding) return;
    const ends = this.#deferredEnds;
    this.#deferredEnds = NO_DEFERRED_ENDS;
    for (const report of ends) this.#reportEnd(report);
    if (this.#isCloseDeferred && !this.#isClosed) this.onClosed();
  }

  /** A mirror that begins with the next chunk that begins with a frame: an observer may come at any time. */
  #mirrorFor(observer: FrameObserver): Pick<FrameMirror, "push"> {
    const mirror = new FrameMirror((frame) => observer.onFrameReceived(frame));
    let hasBegun = false;
    return {
      push: (chunk) => {
        // Called before the chunk is parsed.
        hasBegun ||= this.protocol.isBetweenFrames;
        if (hasBegun) mirror.push(chunk);
      },
    };
  }

  #resumeReading(): void {
    if (!this.protocol.isPaused && !this.protocol.isDecoding) this.stream.resume();
  }

  /** Returns how many bytes had to be copied. */
  #receive(chunk: Uint8Array, isShared: boolean): number {
    const { length } = chunk;
    this.lastReceivedAt = this.runtime.clock.now();
    if (this.#initialBytes !== null) {
      this.#initialBytes = Buffer.concat([this.#initialBytes, chunk]);
      return length;
    }
    this.bytesReceived += length;
    this.#turnBegan = this.lastReceivedAt;
    this.#mirror?.push(chunk);
    this.cork();
    this.protocol.receive(chunk, isShared);
    this.uncork();
    this.#meter?.onBytes(length);
    if (this.#meter?.isDropping === true) this.protocol.dropMessages();
    return this.protocol.copiedBytes;
  }

  /** RFC 6455 section 7.1.1: the server ends TCP first, so that the client does not stay in TIME_WAIT. */
  #endAfterClose(): void {
    if (this.#endsFirst && this.closeSent !== null) this.end(this.role === "client");
  }

  #deliverInitialBytes(): void {
    const bytes = this.#initialBytes;
    this.#initialBytes = null;
    if (bytes !== null && bytes.length > 0) this.onChunk(bytes);
  }
}
