// The sending half of a transport over frames. All frames of one turn of the event loop are written to the kernel at
// once. While the socket is blocked, messages wait here, so that a Ping, a Pong or a Close overtakes them.

/* eslint max-lines: ["warn", { "max": 294, "skipBlankLines": true, "skipComments": true }] -- One state machine. */

import type { CloseFrame } from "../../shared/close-code.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { BINARY, FIN, PING, PONG, TEXT } from "../../shared/opcode.js";
import type { TextBytes } from "../../shared/text-bytes.js";
import type { MessageExtension, ProtocolFailure } from "../../protocol/extension.js";
import { FrameMirror } from "../../protocol/frame/frame-mirror.js";
import type { FrameEncoder } from "../../protocol/frame/frame-encoder.js";
import type {
  BytesHandler,
  MessageHandler,
  ProtocolHandler,
  ReceiveSettings,
} from "../../protocol/message/message-handler.js";
import { isValidText } from "../../protocol/message/utf8.js";
import { Protocol } from "../../protocol/protocol.js";
import type { Role } from "../../shared/role.js";
import type { ByteStream } from "../../connection/ports.js";
import { SENT } from "../../connection/sent.js";
import type {
  FrameObserver,
  MessageTransportHandler,
  SendSettings,
} from "../../connection/message-transport.js";
import { ControlQueue } from "./control-queue.js";
import type { FrameRuntime } from "./frame-runtime.js";
import { SendQueue, type QueuedFrame } from "./send-queue.js";
import type { Flushable, WriteBatch } from "./write-batch.js";

/** Payloads up to this size are copied into the batch; larger ones are written by reference. */
const COPY_AT_MOST = 64 * 1024;

export interface OutboxOptions {
  readonly runtime: FrameRuntime;
  readonly stream: ByteStream;
  readonly role: Role;
  readonly settings: Omit<ReceiveSettings, "extension"> & { readonly writeLimit: number };
  /** The negotiated extension; null for none. */
  readonly extension: MessageExtension | null;
  /** A server's answer to the upgrade, sent before everything else, in the first write. Null for nothing. */
  readonly preface: Uint8Array | null;
  /** Receives all messages as bytes; absent or null to pass them to the handler. */
  readonly onBytes?: BytesHandler | null;
  /** The encoder of this connection; absent for that of its role, which all connections share. */
  readonly encoder?: FrameEncoder;
}

/** The parts of SendSettings that follow a message to the socket. */
export type Tracking = Pick<SendSettings, "receipt" | "signal">;

export abstract class Outbox implements Flushable, ProtocolHandler {
  /** Bytes that were written to the socket, without the answer to the upgrade. */
  bytesSent = 0;
  lastSentAt: number | null = null;
  protected readonly runtime: FrameRuntime;
  protected readonly stream: ByteStream;
  protected readonly handler: MessageTransportHandler;
  protected readonly protocol: Protocol;
  protected readonly writeLimit: number;
  /** Reports written frames; null without an observer. */
  #mirror: FrameMirror | null = null;

  // The frames to send. Each field is null while it would be empty, as in most connections most of the time.
  /** The messages of this turn. */
  #batch: WriteBatch | null = null;
  #control: ControlQueue | null;
  /** The messages that wait for the socket. */
  #queue: SendQueue | null = null;

  /** False if the socket accepted everything so far. Checking the socket is the largest cost of a broadcast message. */
  #maySocketHold = true;
  /** `payloadBytes` of the protocol, as of the last write that left no message behind. */
  #writtenPayload = 0;
  /** The same, as of the last time when the kernel had accepted everything. */
  #acceptedPayload = 0;
  /** The same, before the messages that count as unsent although this turn has written them; null for none. */
  #keptPayload: number | null = null;
  #isFlushPlanned = false;
  #isCorked = false;
  /** `half`: the peer has yet to end its side. */
  #plannedEnd: "half" | "whole" | null = null;
  #isStopped = false;

  /** @param messages receives what the peer sends */
  constructor(options: OutboxOptions, handler: MessageTransportHandler, messages: MessageHandler) {
    const { runtime, role, settings, extension, onBytes = null } = options;
    this.runtime = runtime;
    this.stream = options.stream;
    this.handler = handler;
    const encoder = options.encoder ?? (role === "client" ? runtime.clientEncoder : runtime.serverEncoder);
    this.protocol = new Protocol(messages, this, { ...settings, encoder, extension, onBytes });
    this.writeLimit = settings.writeLimit;
    this.#control = options.preface === null ? null : new ControlQueue(options.preface);
  }

  protected abstract sendEncoded(opcode: number, payload: Uint8Array, tracking: Tracking): Promise<void>;

  abstract onClose(close: CloseFrame): void;
  abstract onFailure(failure: ProtocolFailure): void;
  abstract onDecodingBegun(): void;
  abstract onDecodingEnded(): void;
  abstract mustYield(): boolean;

  /** Bytes that were sent and that the kernel has not accepted. */
  get bufferedAmount(): number {
    const inSocket = this.#maySocketHold ? this.stream.bufferedAmount : 0;
    return (this.#batch?.bytes ?? 0) + (this.#queue?.bytes ?? 0) + inSocket;
  }

  /** `bufferedAmount` without the bytes of this turn, which the socket has not been offered yet. */
  get waitingAmount(): number {
    return (this.#queue?.bytes ?? 0) + (this.#maySocketHold ? this.stream.bufferedAmount : 0);
  }

  get unsentBytes(): number {
    return this.bufferedAmount + (this.#queue?.droppedBytes ?? 0);
  }

  get isCloseWaiting(): boolean {
    return this.protocol.closeSent !== null && this.bufferedAmount > MAX_CLOSE_SIZE;
  }

  get unsentPayload(): number {
    const { payloadBytes } = this.protocol;
    if (this.#keptPayload !== null) return payloadBytes - this.#keptPayload;
    const isAccepted = this.#queue?.isDone !== false && this.waitingAmount === 0;
    if (isAccepted) this.#acceptedPayload = this.#writtenPayload;
    const unaccepted = payloadBytes - this.#acceptedPayload;
    // While the socket holds a part of a write, nobody knows how many of its bytes are framing.
    return isAccepted ? unaccepted : Math.min(unaccepted, this.unsentBytes);
  }

  /** Sends a text message; resolves below `writeLimit`. */
  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    const { protocol } = this;
    if (typeof text !== "string") {
      if (isValidText(text)) return this.#sendBytes(TEXT, text, settings);
      throw new InvalidArgumentError("Expected `data` to be UTF-8, as text has to be, got other bytes.");
    }
    const size = text.length * 3; // At most: the bytes of UTF-8 for each code unit.
    if (settings.mayEncode && protocol.mayEncode(size))
      return this.sendEncoded(TEXT, Buffer.from(text, "utf8"), settings);
    const batch = this.batchFor(size);
    if (batch !== null) {
      protocol.writeText(batch, text);
      return this.#sent(batch, settings);
    }
    const entry = this.sendQueue().push([protocol.textFrame(text)], settings.receipt);
    return this.pace(entry, this.writeLimit, settings.signal);
  }

  /** Sends a binary message; resolves below `writeLimit`, and when `payload` may be changed again. */
  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.#sendBytes(BINARY, payload, settings);
  }

  /**
   * Sends one data frame: a message, or one of its fragments.
   *
   * @param isEncoded by an extension, whose state depends on the message being sent
   */
  protected sendFrame(
    firstByte: number,
    payload: Uint8Array,
    tracking: Tracking,
    isEncoded = false,
  ): Promise<void> {
    const { protocol } = this;
    const batch = this.batchFor(payload.length);
    if (batch !== null) {
      protocol.writeFrame(batch, firstByte, payload);
      return this.#sent(batch, tracking);
    }
    const isCopied = payload.length <= COPY_AT_MOST || protocol.role === "client";
    const chunks = isCopied ? [protocol.frame(firstByte, payload)] : protocol.frameChunks(firstByte, payload);
    const entry = this.sendQueue().push(chunks, tracking.receipt, !isEncoded);
    // The caller may change its memory once the send has resolved.
    const level = isCopied || isEncoded ? this.writeLimit : Math.min(this.writeLimit, COPY_AT_MOST);
    return this.pace(entry, level, tracking.signal);
  }

  queuePing(key: string, payload: Uint8Array): void {
    this.#controls().addPing(key, payload, this.isBlocked());
    this.planFlush();
  }

  /** Withdraws a ping that has not been written. */
  abandonPing(key: string): void {
    this.#control?.removePing(key);
  }

  /**
   * Answers a ping. While the socket is blocked, only the newest answer is kept: RFC 6455 section 5.5.3 requires no
   * more, and a peer that pings without reading must not fill our memory.
   */
  queuePong(payload: Uint8Array): void {
    if (this.isBlocked()) this.#controls().setPong(this.protocol.frame(FIN | PONG, payload));
    else this.#writeControl(FIN | PONG, payload);
  }

  /** Sends a ping that nobody measures, after the messages of this turn; ahead of them while the socket is blocked. */
  sendPing(key: string, payload: Uint8Array): void {
    if (this.isBlocked()) this.queuePing(key, payload);
    else this.#writeControl(FIN | PING, payload);
  }

  /**
   * Sends the Close, the last frame: after the waiting messages, or, if the connection has failed (`isUrgent`), instead
   * of them.
   */
  queueClose(close: CloseFrame, isUrgent: boolean): void {
    this.#controls().setClose(this.protocol.closeFrame(close));
    if (isUrgent && this.isBlocked()) this.#queue?.drop();
    this.planFlush();
  }

  /** Sends a waiting Close instead of the messages before it. */
  hurryClose(): void {
    if (this.#control?.hasClose !== true) return;
    this.#queue?.drop();
    this.planFlush();
  }

  /** Ends our side of the stream after everything has been written. */
  end(isHalf = false): void {
    this.#plannedEnd = isHalf ? "half" : "whole";
    this.planFlush();
  }

  /** The socket accepts no more bytes. Sends that wait settle with `fail`, when the outcome is known. */
  destroy(): void {
    this.#isStopped = true;
    this.stream.destroy();
  }

  /** The connection has ended: rejects the sends that wait. */
  fail(closedError: () => Error): void {
    this.#isStopped = true;
    this.#keepPayload(this.unsentPayload);
    this.#batch?.take(); // The batch shares its memory with other connections.
    this.#batch = null;
    this.#control = null;
    this.#plannedEnd = null;
    this.#queue?.fail(closedError);
  }

  flush(): void {
    this.#isFlushPlanned = false;
    if (this.#isStopped) return;
    this.#keptPayload = null;
    // One write takes everything but the queued messages beyond the write limit.
    do {
      if (this.isBlocked() || !this.#writeOnce()) break;
    } while (this.#queue?.isEmpty === false);
    this.#queue?.wake(this.isBlocked() ? this.bufferedAmount : 0);
    // A message that is still being encoded is sent first, and the Close after it.
    if (this.#plannedEnd === null || this.isBlocked() || this.#queue?.isEmpty === false) return;
    const { closeSent, closeReceived } = this.protocol;
    this.stream.end(closeSent !== null && closeReceived !== null && this.#plannedEnd === "whole");
    this.#plannedEnd = null;
  }

  /** Reports every frame that is written from now on, in the order of the wire; null ends that. */
  protected observe(observer: FrameObserver | null): void {
    // Each write consists of whole frames, so that a mirror may begin with any of them.
    this.#mirror =
      observer && new FrameMirror((frame) => observer.onFrameSent(frame), this.#control?.prefaceLength);
  }

  /** Delays flushes while a chunk is being parsed: all replies to its messages go out in one write. */
  protected cork(): void {
    this.#isCorked = true;
  }

  protected uncork(): void {
    this.#isCorked = false;
    if (!this.#isFlushPlanned) return;
    // A reader continues with this chunk's messages once its promise settles: one write serves them all.
    if (this.handler.hasBusyReader) this.runtime.batches.flushAtTurnEnd(this);
    else this.flush();
  }

  /** The last chance to send a Close: it does not wait for messages that are still being encoded. */
  protected flushClose(): void {
    if (this.#control?.hasClose !== true) return;
    this.#queue?.dropUnencoded();
    this.flush();
  }

  /** Control frames first, the Close last. Returns whether there was anything to write. */
  #writeOnce(): boolean {
    const batch = this.#batch;
    this.#batch = null;
    const bytes = batch?.bytes ?? 0;
    let chunks = batch?.take() ?? [];
    const receipts = batch?.takeReceipts() ?? null;
    if (batch !== null) this.runtime.batches.release(batch);
    const pings = this.#control?.pings;
    const prefaceLength = this.#control?.prefaceLength ?? 0;
    if (this.#control !== null) chunks = [...this.#control.take(this.protocol), ...chunks];
    this.#queue?.moveTo(chunks, bytes, this.writeLimit);
    if (this.#control !== null && (this.#queue?.isEmpty ?? true)) {
      const close = this.#control.takeClose();
      if (close !== null) chunks.push(close);
      this.#control = null;
    }
    if (chunks.length === 0) return false;

    // Before the write: during the system call, the peer may already answer and other threads may run.
    if (pings !== undefined) for (const key of pings.keys()) this.handler.onPingSent(key);
    if (receipts !== null) for (const receipt of receipts) receipt.onHandedOver();
    let size = 0;
    for (const chunk of chunks) {
      size += chunk.length;
      this.#mirror?.push(chunk);
    }
    this.#maySocketHold = !this.runtime.batches.write(this.stream, chunks, size);
    if (this.#queue?.isDone !== false) this.#writtenPayload = this.protocol.payloadBytes;
    if (!this.#maySocketHold) this.#acceptedPayload = this.#writtenPayload;
    this.bytesSent += size - prefaceLength;
    this.lastSentAt = Math.floor(this.runtime.clock.now()); // V8 allocates an object for a fraction.
    return true;
  }

  /** Writes within a call that sends. */
  #flushEarly(): void {
    const { unsentPayload, bytesSent } = this;
    const isKept = this.#keptPayload !== null;
    this.flush();
    if (!isKept && this.bytesSent === bytesSent) return;
    this.#keepPayload(unsentPayload);
    this.planFlush();
  }

  /** The newest `size` bytes count as unsent until the next flush. */
  #keepPayload(size: number): void {
    this.#keptPayload = this.protocol.payloadBytes - size;
  }

  /** Whether the socket accepts no more bytes. */
  protected isBlocked(): boolean {
    return this.#maySocketHold && this.stream.isBlocked;
  }

  /** Whether a message must queue: after others, or because the socket is blocked. */
  protected mustWait(): boolean {
    if (this.#queue?.isEmpty === false) return true;
    if (this.#batch !== null && this.#batch.bytes >= this.writeLimit) this.#flushEarly();
    return this.isBlocked();
  }

  /** The batch for a message of up to `size` bytes; null if the message is too large for it or must wait. */
  protected batchFor(size: number): WriteBatch | null {
    return size > COPY_AT_MOST || this.mustWait() ? null : (this.#batch ??= this.runtime.batches.borrow());
  }

  /** The newest message was written into the batch. */
  #sent(batch: WriteBatch, { receipt }: Tracking): Promise<void> {
    if (receipt !== null) batch.addReceipt(receipt);
    this.planFlush();
    return SENT;
  }

  #sendBytes(opcode: number, payload: Uint8Array, settings: SendSettings): Promise<void> {
    return settings.mayEncode && this.protocol.mayEncode(payload.length)
      ? this.sendEncoded(opcode, payload, settings)
      : this.sendFrame(FIN | opcode, payload, settings);
  }

  protected pace(entry: QueuedFrame, level: number, signal: AbortSignal | null): Promise<void> {
    if (!this.isBlocked()) this.#flushEarly();
    if (entry.fate === "handed-over" && !this.isBlocked()) return SENT;
    if (entry.fate !== "dropped" && this.bufferedAmount < level) return SENT;
    return this.sendQueue().wait(entry, level, signal);
  }

  #writeControl(firstByte: number, payload: Uint8Array): void {
    this.#batch ??= this.runtime.batches.borrow();
    this.protocol.writeFrame(this.#batch, firstByte, payload);
    this.planFlush();
  }

  #controls(): ControlQueue {
    return (this.#control ??= new ControlQueue());
  }

  /** The queue of waiting messages. */
  protected sendQueue(): SendQueue {
    return (this.#queue ??= new SendQueue());
  }

  protected planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    if (!this.#isCorked) this.runtime.batches.flushAtTurnEnd(this);
  }
}

/** The largest Close with its mask (RFC 6455 section 5.2), in bytes: a TLS socket may hold one that it is sending. */
const MAX_CLOSE_SIZE = 131;
