// The sending half of a transport over frames. All frames of one turn of the event loop go to the kernel in one write.
// While the socket takes no more, messages wait here, so that a Ping, a Pong or a Close overtakes them.

import type { CloseFrame } from "../../shared/close-code.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { BINARY, FIN, PONG, TEXT } from "../../shared/opcode.js";
import type { TextBytes } from "../../shared/text-bytes.js";
import type { MessageExtension, ProtocolFailure } from "../../protocol/extension.js";
import { FrameMirror } from "../../protocol/frame/frame-mirror.js";
import type {
  MessageHandler,
  ProtocolHandler,
  ReceiveSettings,
} from "../../protocol/message/message-reader.js";
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

/** Payloads up to this size are copied into the batch; larger ones are handed over as they are. */
const COPY_AT_MOST = 64 * 1024;

export interface OutboxOptions {
  readonly runtime: FrameRuntime;
  readonly transport: ByteStream;
  readonly role: Role;
  readonly settings: Omit<ReceiveSettings, "extension"> & { readonly writeLimit: number };
  /** As negotiated; null for none. */
  readonly extension: MessageExtension | null;
  /** Goes out ahead of everything else, in the first write: a server's answer to the upgrade. Null for nothing. */
  readonly preface: Uint8Array | null;
}

/** How a message that is on its way is followed. */
export type Tracking = Pick<SendSettings, "receipt" | "signal">;

export abstract class Outbox implements Flushable, ProtocolHandler {
  /** Bytes that were handed to the socket. */
  bytesSent = 0;
  lastSentAt: number | null = null;
  protected readonly runtime: FrameRuntime;
  protected readonly stream: ByteStream;
  protected readonly handler: MessageTransportHandler;
  protected readonly protocol: Protocol;
  protected readonly writeLimit: number;
  /** Shows what is handed to the socket; null where nobody looks. */
  #mirror: FrameMirror | null = null;

  // What there is to send; each is null where there is nothing of its kind, as with most connections most of the time.
  /** The messages of this turn. */
  #batch: WriteBatch | null = null;
  #control: ControlQueue | null;
  /** The messages that wait for the socket. */
  #backlog: SendQueue | null = null;

  /** False where the socket took all that it was given. It then need not be asked, which costs a message to many most. */
  #maySocketHold = true;
  #isFlushPlanned = false;
  #isCorked = false;
  #isEndPlanned = false;
  #isStopped = false;

  /** @param messages receives what the peer sends */
  constructor(options: OutboxOptions, handler: MessageTransportHandler, messages: MessageHandler) {
    const { runtime, settings, extension } = options;
    this.runtime = runtime;
    this.stream = options.transport;
    this.handler = handler;
    const encoder = options.role === "client" ? runtime.clientEncoder : runtime.serverEncoder;
    this.protocol = new Protocol(messages, this, { ...settings, encoder, extension });
    this.writeLimit = settings.writeLimit;
    this.#control = options.preface === null ? null : new ControlQueue(options.preface);
  }

  protected abstract sendEncoded(opcode: number, payload: Uint8Array, tracking: Tracking): Promise<void>;

  abstract onClose(close: CloseFrame): void;
  abstract onFailure(failure: ProtocolFailure): void;
  abstract onDecodingBegun(): void;
  abstract onDecodingEnded(): void;
  abstract mustYield(): boolean;

  /** Bytes that were sent and that the kernel has not taken. */
  get bufferedAmount(): number {
    const inSocket = this.#maySocketHold ? this.stream.bufferedAmount : 0;
    return (this.#batch?.bytes ?? 0) + (this.#backlog?.bytes ?? 0) + inSocket;
  }

  get unsentBytes(): number {
    return this.bufferedAmount + (this.#backlog?.droppedBytes ?? 0);
  }

  /** Sends a text message; resolves below `writeLimit`. */
  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    const { protocol } = this;
    if (typeof text !== "string") {
      if (isValidText(text)) return this.#sendBytes(TEXT, text, settings);
      throw new InvalidArgumentError("Expected `data` to be UTF-8, as text has to be, got other bytes");
    }
    const size = text.length * 3; // At most: the bytes of UTF-8 for each code unit.
    if (settings.mayEncode && protocol.mayEncode(size))
      return this.sendEncoded(TEXT, Buffer.from(text, "utf8"), settings);
    const batch = this.batchFor(size);
    if (batch !== null) {
      protocol.writeText(batch, text);
      return this.#sent(batch, settings);
    }
    const entry = this.line().push([protocol.textFrame(text)], settings.receipt);
    return this.pace(entry, this.writeLimit, settings.signal);
  }

  /** Sends a binary message; resolves below `writeLimit`, and when `payload` may be changed again. */
  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.#sendBytes(BINARY, payload, settings);
  }

  /**
   * Sends a data frame as it is: a message, or one of its fragments.
   *
   * @param isEncoded by an extension, which has counted on the message to be sent
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
    const entry = this.line().push(chunks, tracking.receipt, !isEncoded);
    // The caller may change its memory once the send has resolved.
    const level = isCopied || isEncoded ? this.writeLimit : Math.min(this.writeLimit, COPY_AT_MOST);
    return this.pace(entry, level, tracking.signal);
  }

  queuePing(key: string, payload: Uint8Array): void {
    this.#controls().addPing({ key, payload }, this.isBlocked());
    this.planFlush();
  }

  /** Takes a ping back that has not been handed over. */
  abandonPing(key: string): void {
    this.#control?.removePing(key);
  }

  /**
   * Answers a ping. While the socket is blocked only the newest answer is kept: RFC 6455 section 5.5.3 asks for
   * no more, and a peer that pings without reading must not fill our memory.
   */
  queuePong(payload: Uint8Array): void {
    if (this.isBlocked()) {
      this.#controls().setPong(this.protocol.frame(FIN | PONG, payload));
      return;
    }
    this.#batch ??= this.runtime.batches.borrow();
    this.protocol.writeFrame(this.#batch, FIN | PONG, payload);
    this.planFlush();
  }

  /**
   * Sends the Close, the last frame: behind the messages that wait, or, where the connection has failed
   * (`isUrgent`), instead of them.
   */
  queueClose(close: CloseFrame, isUrgent: boolean): void {
    this.#controls().setClose(this.protocol.closeFrame(close));
    if (isUrgent && this.isBlocked()) this.#backlog?.drop();
    this.planFlush();
  }

  /** A Close that still waits goes out instead of the messages before it. */
  hurryClose(): void {
    if (this.#control?.hasClose !== true) return;
    this.#backlog?.drop();
    this.planFlush();
  }

  /** Ends our side of the stream once everything has been handed over. */
  end(): void {
    this.#isEndPlanned = true;
    this.planFlush();
  }

  /** The socket takes nothing any more. Whoever waits is told once it is known how it went (`fail`). */
  destroy(): void {
    this.#isStopped = true;
    this.stream.destroy();
  }

  /** The connection is gone: whoever waits is told. */
  fail(closedError: () => Error): void {
    this.#batch?.take(); // The memory is not ours alone.
    this.#batch = null;
    this.#control = null;
    this.#isEndPlanned = false;
    this.#backlog?.fail(closedError);
  }

  flush(): void {
    this.#isFlushPlanned = false;
    if (this.#isStopped) return;
    // One write takes all but what the backlog holds beyond the write limit.
    do {
      if (this.isBlocked() || !this.#writeOnce()) break;
    } while (this.#backlog?.isEmpty === false);
    this.#backlog?.wake(this.isBlocked() ? this.bufferedAmount : 0);
    // A message that is still being encoded goes out first, and the Close behind it.
    if (!this.#isEndPlanned || this.isBlocked() || this.#backlog?.isEmpty === false) return;
    this.#isEndPlanned = false;
    const { closeSent, closeReceived } = this.protocol;
    this.stream.end(closeSent !== null && closeReceived !== null);
  }

  /** Shows every frame that is handed to the socket from the first one on, in the order of the wire. */
  protected watch(watcher: FrameObserver): void {
    this.#mirror = new FrameMirror((frame) => watcher.onFrameSent(frame), this.#control?.prefaceLength);
  }

  /** Holds flushes back while a chunk is being parsed: what its messages make us send goes out together. */
  protected cork(): void {
    this.#isCorked = true;
  }

  protected uncork(): void {
    this.#isCorked = false;
    if (!this.#isFlushPlanned) return;
    // A reader goes on with this chunk's messages once its promise settles: one write serves them all.
    if (this.handler.hasBusyReader) this.runtime.batches.flushAtTurnEnd(this);
    else this.flush();
  }

  /** The last chance of a Close: it does not wait for what is still being encoded. */
  protected flushClose(): void {
    if (this.#control?.hasClose !== true) return;
    this.#backlog?.dropUnencoded();
    this.flush();
  }

  /** Control frames first, the Close last. Returns whether there was anything to write. */
  #writeOnce(): boolean {
    const batch = this.#batch;
    this.#batch = null;
    const bytes = batch?.bytes ?? 0;
    let chunks = batch?.take() ?? [];
    const receipts = batch?.takeReceipts() ?? null;
    if (batch !== null) this.runtime.batches.giveBack(batch);
    const pings = this.#control?.pings;
    if (this.#control !== null) chunks = [...this.#control.take(this.protocol), ...chunks];
    this.#backlog?.moveTo(chunks, bytes, this.writeLimit);
    if (this.#control !== null && (this.#backlog?.isEmpty ?? true)) {
      const close = this.#control.takeClose();
      if (close !== null) chunks.push(close);
      this.#control = null;
    }
    if (chunks.length === 0) return false;

    // Before the write: while the kernel works on it, the peer may answer already, and other threads may run.
    if (pings !== undefined) for (const ping of pings) this.handler.onPingSent(ping.key);
    if (receipts !== null) for (const receipt of receipts) receipt.onHandedOver();
    let size = 0;
    for (const chunk of chunks) {
      size += chunk.length;
      this.#mirror?.push(chunk);
    }
    this.#maySocketHold = !this.runtime.batches.write(this.stream, chunks, size);
    this.bytesSent += size;
    this.lastSentAt = this.runtime.clock.now();
    return true;
  }

  /** Whether the socket takes no more. */
  protected isBlocked(): boolean {
    return this.#maySocketHold && this.stream.isBlocked;
  }

  /** Whether a message has to queue up: behind others, or because the socket takes no more. */
  protected mustWait(): boolean {
    if (this.#backlog?.isEmpty === false) return true;
    if (this.#batch !== null && this.#batch.bytes >= this.writeLimit) this.flush();
    return this.isBlocked();
  }

  /** Where a message of up to `size` bytes is written; null for a large one, and one that has to wait. */
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
    if (!this.isBlocked()) this.flush();
    if (entry.fate === "handed-over" && !this.isBlocked()) return SENT;
    if (entry.fate !== "dropped" && this.bufferedAmount < level) return SENT;
    return this.line().wait(entry, level, signal);
  }

  #controls(): ControlQueue {
    return (this.#control ??= new ControlQueue());
  }

  /** Where messages wait. */
  protected line(): SendQueue {
    return (this.#backlog ??= new SendQueue());
  }

  protected planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    if (!this.#isCorked) this.runtime.batches.flushAtTurnEnd(this);
  }
}
