// Frames on their way to the socket. All that is sent in one turn of the event loop goes to the kernel in one
// write. While the socket takes no more, messages wait here, so that a ping, a pong or a Close overtakes them.

import type { CloseFrame } from "../../protocol/close-code.js";
import { BINARY, CONTINUATION, FIN, PONG, RESERVED_BITS, TEXT } from "../../protocol/frame/opcode.js";
import { FrameMirror, type ObservedFrame } from "../../protocol/frame/frame-mirror.js";
import type { TextBytes } from "../../protocol/message/text-bytes.js";
import type { Protocol } from "../../protocol/protocol.js";
import type { Message } from "../inbox.js";
import type { Transport } from "../ports.js";
import type { Receipt, SendSettings } from "../wire.js";
import type { MessageExtension } from "../../protocol/extension.js";
import { Backlog, type Entry } from "./backlog.js";
import type { Flushable, FrameRuntime } from "./frame-runtime.js";
import type { SharedFrames } from "./shared-frames.js";
import type { SlabOwner } from "./slab.js";

/** Payloads up to this size are copied into the slab; larger ones are handed over as they are. */
const COPY_AT_MOST = 64 * 1024;

/** Several small chunks are joined for the socket: to hand them over one by one costs Node more than a copy. */
const JOIN_AT_MOST = 16 * 1024;

/** Pings that may wait for a socket that takes no more. */
const MAX_WAITING_PINGS = 128;

/** One promise for every send that need not wait. */
const SENT: Promise<void> = Promise.resolve();

export interface OutboxEvents {
  /** The ping of this key is being handed to the socket. */
  onPingSent(key: string): void;
  /** Bytes were handed to the socket. */
  onBytesSent(count: number): void;
  /** A message cannot be sent, nor what came behind it, which may refer to it: only a Close can follow. */
  onEncodingFailed(error: Error): void;
}

export interface OutboxOptions {
  readonly runtime: FrameRuntime;
  readonly transport: Transport;
  readonly protocol: Protocol;
  readonly events: OutboxEvents;
  readonly writeLimit: number;
  /** Goes out ahead of everything else, in the first write; null for nothing. */
  readonly preface: Uint8Array | null;
}

/** How a message that is on its way is followed. */
export type Tracking = Pick<SendSettings, "receipt" | "signal">;

/** Nobody takes the message back, or asks when it leaves. */
export const UNTRACKED: Tracking = { signal: null, receipt: null };

interface WaitingPing {
  readonly key: string;
  readonly payload: Uint8Array;
}

const NO_PINGS: readonly WaitingPing[] = [];

const AS_IT_IS: SendSettings = { mayEncode: false, signal: null, receipt: null };

export class Outbox implements Flushable, SlabOwner {
  readonly #runtime: FrameRuntime;
  readonly #transport: Transport;
  readonly #protocol: Protocol;
  readonly #events: OutboxEvents;
  readonly #writeLimit: number;
  /** Shows what is handed to the socket; null where nobody looks. */
  #mirror: FrameMirror | null = null;

  /** What this turn sends. The newest part is a region of the slab that is still being written. */
  #batch: Uint8Array[] | null = null;
  #batchBytes = 0;
  /** Of its messages, for those who asked. */
  #receipts: Receipt[] | null = null;
  #regionStart = -1;
  #isFlushPlanned = false;
  #isCorked = false;

  /** Until the first write. */
  #preface: Uint8Array | null;
  /** What waits: pings for the next write, and while the socket is blocked, one pong and the messages. */
  #pings: readonly WaitingPing[] = NO_PINGS;
  #pong: Uint8Array | null = null;
  #close: Uint8Array | null = null;
  #backlog: Backlog | null = null;
  #isEndPlanned = false;
  #isStopped = false;

  constructor(options: OutboxOptions) {
    this.#runtime = options.runtime;
    this.#transport = options.transport;
    this.#protocol = options.protocol;
    this.#events = options.events;
    this.#writeLimit = options.writeLimit;
    this.#preface = options.preface;
  }

  /** Bytes that were sent and that the kernel has not taken. */
  get bufferedAmount(): number {
    return this.#batchBytes + (this.#backlog?.bytes ?? 0) + this.#transport.bufferedAmount;
  }

  /** The same, and what was given up because it stood in the way of a Close. */
  get unsentBytes(): number {
    return this.bufferedAmount + (this.#backlog?.droppedBytes ?? 0);
  }

  /** Sends a text message; resolves below `writeLimit`. */
  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    if (typeof text !== "string") return this.#sendBytes(TEXT, text, settings);
    const { mayEncode, receipt } = settings;
    const { encoder, extension } = this.#protocol;
    const size = encoder.maxTextFrameSize(text.length);
    if (extension !== null && mayEncode && size >= extension.threshold) {
      return this.#sendEncoded(TEXT, Buffer.from(text, "utf8"), settings);
    }
    if (size > COPY_AT_MOST || this.#mustWait()) {
      return this.#sendAlone([this.#protocol.sendText(text)], this.#writeLimit, settings);
    }
    const start = this.#reserve(size);
    return this.#written(start, encoder.writeText(this.#runtime.slab.bytes, start, text), receipt);
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
    const start = this.#reserve(encoder.frameSize(payload.length));
    const end = encoder.writeFrame(this.#runtime.slab.bytes, start, firstByte, payload);
    return this.#written(start, end, tracking.receipt);
  }

  /** Sends a message whose frame others send as well: by reference, so that it is in memory once. */
  sendShared(message: SharedFrames): void {
    const { extension } = this.#protocol;
    if (extension !== null && message.mayEncode && message.size >= extension.threshold) {
      this.#sendSharedEncoded(message, extension);
    } else if (message.frame.length > COPY_AT_MOST || this.#mustWait()) {
      this.#line().push([message.lastingFrame], null);
      this.#planFlush();
    } else {
      this.#append(message.frame);
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
    if (!this.#transport.isBlocked) this.flush();
    return () => backlog.withdraw(entry);
  }

  queuePing(key: string, payload: Uint8Array): void {
    // The newest answers for the older ones (RFC 6455 section 5.5.3), so that few are enough for a blocked socket.
    const waiting = this.#transport.isBlocked ? this.#pings.slice(-MAX_WAITING_PINGS + 1) : this.#pings;
    this.#pings = [...waiting, { key, payload }];
    this.#planFlush();
  }

  /** Takes a ping back that has not been handed over. */
  abandonPing(key: string): void {
    if (this.#pings.length > 0) this.#pings = this.#pings.filter((ping) => ping.key !== key);
  }

  /**
   * Answers a ping. While the socket is blocked only the newest answer is kept: RFC 6455 section 5.5.3 asks for
   * no more, and a peer that pings without reading must not fill our memory.
   */
  queuePong(payload: Uint8Array): void {
    if (this.#transport.isBlocked) {
      this.#pong = this.#protocol.sendPong(payload);
      return;
    }
    const { encoder } = this.#protocol;
    const start = this.#reserve(encoder.frameSize(payload.length));
    void this.#written(start, encoder.writeFrame(this.#runtime.slab.bytes, start, FIN | PONG, payload), null);
  }

  /**
   * Sends the Close, the last frame: behind the messages that wait, or, where the connection has failed
   * (`isUrgent`), instead of them.
   */
  queueClose(close: CloseFrame, isUrgent: boolean): void {
    this.#close = this.#protocol.sendClose(close);
    this.#pings = NO_PINGS;
    if (isUrgent && this.#transport.isBlocked) this.#backlog?.drop();
    this.#planFlush();
  }

  /** Shows every frame that is handed to the socket from the first one on, in the order of the wire. */
  watch(show: (frame: ObservedFrame) => void): void {
    this.#mirror = new FrameMirror(show, this.#preface?.length);
  }

  /** The last chance of a Close: it does not wait for what is still being encoded. */
  flushClose(): void {
    if (this.#close === null) return;
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
    this.#takeBatch();
    this.#receipts = null;
    this.#pings = NO_PINGS;
    this.#pong = null;
    this.#close = null;
    this.#isEndPlanned = false;
    this.#backlog?.fail(closedError);
  }

  /** Holds flushes back while a chunk is being parsed: what its messages make us send goes out together. */
  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    if (this.#isFlushPlanned) this.flush();
  }

  flush(): void {
    this.#isFlushPlanned = false;
    if (this.#isStopped) return;
    while (!this.#transport.isBlocked) {
      const pings = this.#pings;
      const chunks = this.#collect();
      if (chunks.length === 0) break;
      // Before the write: while the kernel works on it, the peer may answer already, and other threads may run.
      for (const ping of pings) this.#events.onPingSent(ping.key);
      if (this.#receipts !== null) this.#tellReceipts(this.#receipts);
      this.#write(chunks);
    }
    this.#backlog?.wake(this.#transport.isBlocked ? this.bufferedAmount : 0);
    if (!this.#isEndPlanned || this.#transport.isBlocked) return;
    // A message that is still being encoded goes out first, and the Close behind it.
    if (this.#backlog?.isEmpty === false) return;
    this.#isEndPlanned = false;
    this.#transport.end();
  }

  closeRegion(): void {
    if (this.#regionStart < 0) return;
    const { slab } = this.#runtime;
    this.#batch ??= [];
    this.#batch.push(slab.bytes.subarray(this.#regionStart, slab.position));
    this.#regionStart = -1;
  }

  /** The chunks of the next write: control frames first, the Close last. */
  #collect(): Uint8Array[] {
    const bytes = this.#batchBytes;
    let chunks = this.#takeBatch();
    if (this.#preface !== null || this.#pings !== NO_PINGS || this.#pong !== null) {
      chunks = [...this.#takeControl(), ...chunks];
    }
    this.#backlog?.moveTo(chunks, bytes, this.#writeLimit);
    if (this.#close !== null && (this.#backlog?.isEmpty ?? true)) {
      chunks.push(this.#close);
      this.#close = null;
    }
    return chunks;
  }

  #takeControl(): Uint8Array[] {
    const chunks = this.#preface === null ? [] : [this.#preface];
    for (const ping of this.#pings) chunks.push(this.#protocol.sendPing(ping.payload));
    if (this.#pong !== null) chunks.push(this.#pong);
    this.#preface = null;
    this.#pings = NO_PINGS;
    this.#pong = null;
    return chunks;
  }

  #takeBatch(): Uint8Array[] {
    if (this.#regionStart >= 0) {
      this.closeRegion();
      this.#runtime.slab.leave();
    }
    const batch = this.#batch ?? [];
    this.#batch = null;
    this.#batchBytes = 0;
    return batch;
  }

  #write(chunks: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    if (this.#mirror !== null) for (const chunk of chunks) this.#mirror.push(chunk);
    const { slab } = this.#runtime;
    const joined = chunks.length > 1 && bytes <= JOIN_AT_MOST ? this.#join(chunks, bytes) : null;
    if (this.#transport.write(joined === null ? chunks : [joined])) {
      if (joined !== null) slab.release(joined);
      for (let index = chunks.length - 1; index >= 0; index--) slab.release(chunks[index]);
    }
    this.#events.onBytesSent(bytes);
  }

  /** The chunks side by side in the slab. */
  #join(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
    const { slab } = this.#runtime;
    slab.open(this, bytes);
    const start = slab.position;
    let end = start;
    for (const chunk of chunks) {
      slab.bytes.set(chunk, end);
      end += chunk.length;
    }
    slab.advance(end);
    slab.leave();
    return slab.bytes.subarray(start, end);
  }

  /** Whether a message has to queue up: behind others, or because the socket takes no more. */
  #mustWait(): boolean {
    if (this.#backlog?.isEmpty === false) return true;
    if (this.#batchBytes >= this.#writeLimit) this.flush();
    return this.#transport.isBlocked;
  }

  /** Room for a frame of at most `size` bytes in the slab; returns where it begins. */
  #reserve(size: number): number {
    const { slab } = this.#runtime;
    if (!slab.isOpenFor(this, size)) {
      this.closeRegion();
      slab.open(this, size);
      this.#regionStart = slab.position;
    }
    return slab.position;
  }

  /** Adds a frame that is in memory already; one right behind the last makes one piece with it. */
  #append(frame: Uint8Array): void {
    if (this.#regionStart >= 0) {
      this.closeRegion();
      this.#runtime.slab.leave();
    }
    const batch = (this.#batch ??= []);
    const last = batch.at(-1);
    if (last?.buffer === frame.buffer && last.byteOffset + last.length === frame.byteOffset) {
      batch[batch.length - 1] = Buffer.from(frame.buffer, last.byteOffset, last.length + frame.length);
    } else {
      batch.push(frame);
    }
    this.#batchBytes += frame.length;
    this.#planFlush();
  }

  #tellReceipts(receipts: readonly Receipt[]): void {
    this.#receipts = null;
    for (const receipt of receipts) receipt.onHandedOver();
  }

  #written(start: number, end: number, receipt: Receipt | null): Promise<void> {
    this.#runtime.slab.advance(end);
    this.#batchBytes += end - start;
    if (receipt !== null) (this.#receipts ??= []).push(receipt);
    this.#planFlush();
    return SENT;
  }

  #sendBytes(opcode: number, payload: Uint8Array, settings: SendSettings): Promise<void> {
    const { extension } = this.#protocol;
    if (extension !== null && settings.mayEncode && payload.length >= extension.threshold) {
      return this.#sendEncoded(opcode, payload, settings);
    }
    return this.sendFrame(FIN | opcode, payload, settings);
  }

  /** Sends a message by way of the extension. One that it encoded has to go out: the extension remembers it. */
  #sendEncoded(opcode: number, payload: Uint8Array, tracking: Tracking): Promise<void> {
    const frame = this.#protocol.sendEncoded(opcode, payload);
    if (frame instanceof Promise) return this.#sendLater(frame, payload.length, tracking);
    if (frame.length > COPY_AT_MOST || this.#mustWait()) {
      const isEncoded = (frame[0] & RESERVED_BITS) !== 0;
      const entry = this.#line().push([frame], tracking.receipt, !isEncoded);
      return this.#pace(this.#line(), entry, this.#writeLimit, tracking.signal);
    }
    const start = this.#reserve(frame.length);
    this.#runtime.slab.bytes.set(frame, start);
    return this.#written(start, start + frame.length, tracking.receipt);
  }

  #sendSharedEncoded(message: SharedFrames, extension: MessageExtension): void {
    const { sharing } = extension;
    if (sharing === undefined) {
      void this.#sendEncoded(message.opcode, message.payload, UNTRACKED);
      return;
    }
    const frame = message.encodedFrame(extension, sharing);
    sharing.noteShared(message.payload);
    if (frame instanceof Promise) {
      void this.#sendLater(frame, message.size, UNTRACKED);
    } else if (frame.length > COPY_AT_MOST || this.#mustWait()) {
      this.#line().push([frame], null, false);
      this.#planFlush();
    } else {
      this.#append(frame);
    }
  }

  /** Keeps the message's place while it is being encoded elsewhere. */
  #sendLater(frame: Promise<Uint8Array>, size: number, { signal, receipt }: Tracking): Promise<void> {
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

  /** Sends a frame that stands on its own: a large one, or one that has to wait. */
  #sendAlone(
    chunks: readonly Uint8Array[],
    level: number,
    { signal, receipt }: Tracking,
    isContinuation = false,
  ): Promise<void> {
    return this.#pace(this.#line(), this.#line().push(chunks, receipt, true, isContinuation), level, signal);
  }

  #pace(backlog: Backlog, entry: Entry, level: number, signal: AbortSignal | null): Promise<void> {
    if (!this.#transport.isBlocked) this.flush();
    if (entry.fate === "handed-over" && !this.#transport.isBlocked) return SENT;
    if (entry.fate !== "dropped" && this.bufferedAmount < level) return SENT;
    return backlog.wait(entry, level, signal);
  }

  /** Where messages wait. */
  #line(): Backlog {
    return (this.#backlog ??= new Backlog());
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
