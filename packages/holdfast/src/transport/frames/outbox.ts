// Frames on their way to the socket. All that is sent in one turn of the event loop goes to the kernel in one
// write. While the socket takes no more, messages wait here, so that a ping, a pong or a Close overtakes them.

/* eslint max-lines: ["warn", { "max": 310, "skipBlankLines": true, "skipComments": true }] -- Every way into the socket in one place, as the order of the wire is decided here. Batch, slab, backlog and control queue have files of their own. */

import type { CloseFrame } from "../../shared/close-code.js";
import { BINARY, CONTINUATION, FIN, PONG, TEXT } from "../../shared/opcode.js";
import { FrameMirror } from "../../protocol/frame/frame-mirror.js";
import type { ObservedFrame } from "../../shared/observed-frame.js";
import type { TextBytes } from "../../shared/text-bytes.js";
import type { Protocol } from "../../protocol/protocol.js";
import type { Message } from "../../connection/inbox.js";
import type { ByteStream } from "../../connection/ports.js";
import { SENT } from "../../connection/sent.js";
import type { SendSettings } from "../../connection/message-transport.js";
import { SendQueue, type QueuedFrame } from "./send-queue.js";
import type { WriteBatch } from "./write-batch.js";
import { ControlQueue } from "./control-queue.js";
import { mayEncode, sendEncoded, sendSharedEncoded, type Tracking } from "./encoded-messages.js";
import type { Flushable, FrameRuntime } from "./frame-runtime.js";
import type { SharedFrames } from "./shared-frames.js";
import { writeChunks } from "./write-chunks.js";

/** Payloads up to this size are copied into the slab; larger ones are handed over as they are. */
const COPY_AT_MOST = 64 * 1024;

export interface OutboxHandler {
  /** The ping of this key is being handed to the socket. */
  onPingSent(key: string): void;
  /** A message cannot be sent, nor what came behind it, which may refer to it: only a Close can follow. */
  onEncodingFailed(error: Error): void;
}

export interface OutboxOptions {
  readonly runtime: FrameRuntime;
  readonly transport: ByteStream;
  readonly protocol: Protocol;
  readonly events: OutboxHandler;
  readonly writeLimit: number;
  /** Goes out ahead of everything else, in the first write; null for nothing. */
  readonly preface: Uint8Array | null;
}

const AS_IT_IS: SendSettings = { mayEncode: false, signal: null, receipt: null };

export class Outbox implements Flushable {
  /** Bytes that were handed to the socket. */
  bytesSent = 0;
  /** When the last of them were; null where there were none. */
  lastSentAt: number | null = null;
  readonly #runtime: FrameRuntime;
  readonly #transport: ByteStream;
  readonly #protocol: Protocol;
  readonly #events: OutboxHandler;
  readonly #writeLimit: number;
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

  constructor(options: OutboxOptions) {
    this.#runtime = options.runtime;
    this.#transport = options.transport;
    this.#protocol = options.protocol;
    this.#events = options.events;
    this.#writeLimit = options.writeLimit;
    this.#control = options.preface === null ? null : new ControlQueue(options.preface);
  }

  /** Bytes that were sent and that the kernel has not taken. */
  get bufferedAmount(): number {
    const inSocket = this.#maySocketHold ? this.#transport.bufferedAmount : 0;
    return (this.#batch?.bytes ?? 0) + (this.#backlog?.bytes ?? 0) + inSocket;
  }

  /** The same, and what was given up because it stood in the way of a Close. */
  get unsentBytes(): number {
    return this.bufferedAmount + (this.#backlog?.droppedBytes ?? 0);
  }

  /** Sends a text message; resolves below `writeLimit`. */
  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    if (typeof text !== "string") return this.#sendBytes(TEXT, text, settings);
    const { encoder, extension } = this.#protocol;
    const size = encoder.maxTextFrameSize(text.length);
    if (extension !== null && mayEncode(extension, size, settings)) {
      return sendEncoded(this, this.#protocol, TEXT, Buffer.from(text, "utf8"), settings);
    }
    if (size > COPY_AT_MOST || this.#mustWait()) {
      return this.#sendAlone([this.#protocol.sendText(text)], this.#writeLimit, settings);
    }
    const batch = this.#openBatch();
    const start = batch.reserve(size);
    batch.written(start, encoder.writeText(this.#runtime.slab.bytes, start, text), settings.receipt);
    return this.#sent();
  }

  /** Sends a binary message; resolves below `writeLimit`, and when `payload` may be changed again. */
  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.#sendBytes(BINARY, payload, settings);
  }

  /** Sends a data frame as it is: a message, or one of its fragments. */
  sendFrame(firstByte: number, payload: Uint8Array, tracking: Tracking): Promise<void> {
    const { encoder } = this.#protocol;
    const isContinuation = (firstByte & ~FIN) === CONTINUATION;
    if (payload.length > COPY_AT_MOST && !encoder.isMasking) {
      const header = Buffer.allocUnsafe(encoder.frameSize(payload.length) - payload.length);
      encoder.writeHeader(header, 0, firstByte, payload.length);
      const level = Math.min(this.#writeLimit, COPY_AT_MOST);
      return this.#sendAlone([header, payload], level, tracking, isContinuation);
    }
    if (payload.length > COPY_AT_MOST || this.#mustWait()) {
      const frame = encoder.frame(firstByte, payload);
      return this.#sendAlone([frame], this.#writeLimit, tracking, isContinuation);
    }
    const batch = this.#openBatch();
    const start = batch.reserve(encoder.frameSize(payload.length));
    const end = encoder.writeFrame(this.#runtime.slab.bytes, start, firstByte, payload);
    batch.written(start, end, tracking.receipt);
    return this.#sent();
  }

  /** Sends a message whose frame others send as well: by reference, so that it is in memory once. */
  sendShared(message: SharedFrames): void {
    const { extension } = this.#protocol;
    if (extension !== null && mayEncode(extension, message.size, message)) {
      sendSharedEncoded(this, this.#protocol, extension, message);
    } else if (message.frame.length > COPY_AT_MOST || this.#mustWait()) {
      this.#line().push([message.lastingFrame], null);
      this.#planFlush();
    } else {
      this.#openBatch().appendShared(message);
      this.#planFlush();
    }
  }

  /** Sends the message of a layer between two others, as it is; what is returned takes it back. */
  sendAhead(message: Message, onSent: () => void): () => void {
    if (!this.#mustWait()) {
      void (typeof message === "string"
        ? this.sendText(message, AS_IT_IS)
        : this.sendBinary(message, AS_IT_IS));
      onSent();
      return nothing;
    }
    const backlog = this.#line();
    const frame =
      typeof message === "string" ? this.#protocol.sendText(message) : this.#protocol.sendBinary(message);
    const entry = backlog.insert([frame], onSent);
    if (!this.#isBlocked()) this.flush();
    return () => backlog.withdraw(entry);
  }

  /** Sends a frame that an extension made: it `isEncoded` where it has to go out, as the extension remembers it. */
  sendMadeFrame(frame: Uint8Array, isEncoded: boolean, tracking: Tracking): Promise<void> {
    if (frame.length > COPY_AT_MOST || this.#mustWait()) {
      const entry = this.#line().push([frame], tracking.receipt, !isEncoded);
      return this.#pace(this.#line(), entry, this.#writeLimit, tracking.signal);
    }
    const batch = this.#openBatch();
    const start = batch.reserve(frame.length);
    this.#runtime.slab.bytes.set(frame, start);
    batch.written(start, start + frame.length, tracking.receipt);
    return this.#sent();
  }

  /** The same of a frame that many send: by reference. */
  sendMadeShared(frame: Uint8Array): void {
    if (frame.length > COPY_AT_MOST || this.#mustWait()) this.#line().push([frame], null, false);
    else this.#openBatch().append(frame);
    this.#planFlush();
  }

  /** Keeps the place of a message of `size` bytes while it is being encoded elsewhere. */
  sendLater(frame: Promise<Uint8Array>, size: number, { signal, receipt }: Tracking): Promise<void> {
    const backlog = this.#line();
    const entry = backlog.reserve(size, receipt);
    const sent = frame.then(
      (bytes) => {
        backlog.fill(entry, [bytes]);
        return this.#pace(backlog, entry, this.#writeLimit, signal);
      },
      (error: unknown) => {
        backlog.dropFrom(entry);
        this.#events.onEncodingFailed(error as Error); // An extension rejects with nothing else.
        this.#planFlush();
        return backlog.wait(entry, 0, null);
      },
    );
    // A send that nobody awaits must not end the process when the connection is lost.
    sent.catch(() => undefined);
    return sent;
  }

  queuePing(key: string, payload: Uint8Array): void {
    this.#controls().addPing({ key, payload }, this.#isBlocked());
    this.#planFlush();
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
    if (this.#isBlocked()) {
      this.#controls().setPong(this.#protocol.sendPong(payload));
      return;
    }
    const { encoder } = this.#protocol;
    const batch = this.#openBatch();
    const start = batch.reserve(encoder.frameSize(payload.length));
    batch.written(start, encoder.writeFrame(this.#runtime.slab.bytes, start, FIN | PONG, payload), null);
    this.#planFlush();
  }

  /**
   * Sends the Close, the last frame: behind the messages that wait, or, where the connection has failed
   * (`isUrgent`), instead of them.
   */
  queueClose(close: CloseFrame, isUrgent: boolean): void {
    this.#controls().setClose(this.#protocol.sendClose(close));
    if (isUrgent && this.#isBlocked()) this.#backlog?.drop();
    this.#planFlush();
  }

  /** A Close that still waits goes out instead of the messages before it. */
  hurryClose(): void {
    if (this.#control?.hasClose !== true) return;
    this.#backlog?.drop();
    this.#planFlush();
  }

  /** Shows every frame that is handed to the socket from the first one on, in the order of the wire. */
  watch(show: (frame: ObservedFrame) => void): void {
    this.#mirror = new FrameMirror(show, this.#control?.prefaceLength);
  }

  /** The last chance of a Close: it does not wait for what is still being encoded. */
  flushClose(): void {
    if (this.#control?.hasClose !== true) return;
    this.#backlog?.dropUnencoded();
    this.flush();
  }

  /** Ends our side of the stream once everything has been handed over. */
  end(): void {
    this.#isEndPlanned = true;
    this.#planFlush();
  }

  /** The socket takes nothing any more. Whoever waits is told once it is known how it went (`fail`). */
  stop(): void {
    this.#isStopped = true;
  }

  /** The connection is gone: whoever waits is told. */
  fail(closedError: () => Error): void {
    this.#batch?.take(); // The memory is not ours alone.
    this.#batch = null;
    this.#control = null;
    this.#isEndPlanned = false;
    this.#backlog?.fail(closedError);
  }

  /** Holds flushes back while a chunk is being parsed: what its messages make us send goes out together. */
  cork(): void {
    this.#isCorked = true;
  }

  /** @param isReaderBusy a reader goes on with this chunk's messages once its promise settles: one write serves them all */
  uncork(isReaderBusy: boolean): void {
    this.#isCorked = false;
    if (!this.#isFlushPlanned) return;
    if (isReaderBusy) this.#runtime.flushAtTurnEnd(this);
    else this.flush();
  }

  flush(): void {
    this.#isFlushPlanned = false;
    if (this.#isStopped) return;
    // One write takes all but what the backlog holds beyond the write limit.
    do {
      if (this.#isBlocked() || !this.#writeOnce()) break;
    } while (this.#backlog?.isEmpty === false);
    this.#backlog?.wake(this.#isBlocked() ? this.bufferedAmount : 0);
    if (!this.#isEndPlanned || this.#isBlocked()) return;
    // A message that is still being encoded goes out first, and the Close behind it.
    if (this.#backlog?.isEmpty === false) return;
    this.#isEndPlanned = false;
    const { closeSent, closeReceived } = this.#protocol;
    this.#transport.end(closeSent !== null && closeReceived !== null);
  }

  /** Control frames first, the Close last. Returns whether there was anything to write. */
  #writeOnce(): boolean {
    const batch = this.#batch;
    this.#batch = null;
    const bytes = batch?.bytes ?? 0;
    let chunks = batch?.take() ?? [];
    const receipts = batch?.takeReceipts() ?? null;
    if (batch !== null) this.#runtime.batches.giveBack(batch);

    const pings = this.#control?.pings;
    if (this.#control !== null) chunks = [...this.#control.take(this.#protocol), ...chunks];
    this.#backlog?.moveTo(chunks, bytes, this.#writeLimit);
    if (this.#control !== null && (this.#backlog?.isEmpty ?? true)) {
      const close = this.#control.takeClose();
      if (close !== null) chunks.push(close);
      this.#control = null;
    }
    if (chunks.length === 0) return false;

    // Before the write: while the kernel works on it, the peer may answer already, and other threads may run.
    if (pings !== undefined) for (const ping of pings) this.#events.onPingSent(ping.key);
    if (receipts !== null) for (const receipt of receipts) receipt.onHandedOver();
    this.#write(chunks);
    return true;
  }

  #write(chunks: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    if (this.#mirror !== null) for (const chunk of chunks) this.#mirror.push(chunk);
    this.#maySocketHold = !writeChunks(this.#transport, chunks, bytes, this.#runtime.slab);
    this.bytesSent += bytes;
    this.lastSentAt = this.#runtime.clock.now();
  }

  /** Whether the socket takes no more. */
  #isBlocked(): boolean {
    return this.#maySocketHold && this.#transport.isBlocked;
  }

  /** Whether a message has to queue up: behind others, or because the socket takes no more. */
  #mustWait(): boolean {
    if (this.#backlog?.isEmpty === false) return true;
    if (this.#batch !== null && this.#batch.bytes >= this.#writeLimit) this.flush();
    return this.#isBlocked();
  }

  #sent(): Promise<void> {
    this.#planFlush();
    return SENT;
  }

  #sendBytes(opcode: number, payload: Uint8Array, settings: SendSettings): Promise<void> {
    const { extension } = this.#protocol;
    if (extension !== null && mayEncode(extension, payload.length, settings)) {
      return sendEncoded(this, this.#protocol, opcode, payload, settings);
    }
    return this.sendFrame(FIN | opcode, payload, settings);
  }

  /** Sends a frame that stands on its own: a large one, or one that has to wait. */
  #sendAlone(
    chunks: readonly Uint8Array[],
    level: number,
    { signal, receipt }: Tracking,
    isContinuation = false,
  ): Promise<void> {
    return this.#pace(this.#line(), this.#line().push(chunks, receipt, true, isContinuation), level, signal);
  }

  #pace(backlog: SendQueue, entry: QueuedFrame, level: number, signal: AbortSignal | null): Promise<void> {
    if (!this.#isBlocked()) this.flush();
    if (entry.fate === "handed-over" && !this.#isBlocked()) return SENT;
    if (entry.fate !== "dropped" && this.bufferedAmount < level) return SENT;
    return backlog.wait(entry, level, signal);
  }

  #openBatch(): WriteBatch {
    return (this.#batch ??= this.#runtime.batches.borrow());
  }

  #controls(): ControlQueue {
    return (this.#control ??= new ControlQueue());
  }

  /** Where messages wait. */
  #line(): SendQueue {
    return (this.#backlog ??= new SendQueue());
  }

  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    if (!this.#isCorked) this.#runtime.flushAtTurnEnd(this);
  }
}

function nothing(): void {
  // It has left already.
}
