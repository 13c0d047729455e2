// The WebSocket protocol of one connection, for both roles, without I/O (RFC 6455 sections 5 to 7). It turns received
// bytes into events and calls into bytes. It uses no socket, clock or timer, and nothing that a peer sends makes it throw.
//
// It owns the state of the wire in both directions: what it inherits from the parser is the receiving direction.

import type { CloseFrame } from "../shared/close-code.js";
import { InvalidStateError } from "../shared/errors.js";
import { BINARY, CLOSE, CONTINUATION, CONTROL_BIT, FIN, RESERVED_BITS, TEXT } from "../shared/opcode.js";
import type { Role } from "../shared/role.js";
import type { Encoded, MessageExtension, MessageSharing } from "./extension.js";
import type { FrameEncoder } from "./frame/frame-encoder.js";
import { FrameParser } from "./frame/frame-parser.js";
import type { MessageHandler, ProtocolHandler, ReceiveSettings } from "./message/message-handler.js";
import { MessageReader } from "./message/message-reader.js";
import type { PieceHandler } from "./message/piece-decoder.js";

export interface ProtocolOptions extends ReceiveSettings {
  /** Shared by all connections of a role. A client's encoder masks frames, a server's does not (section 5.1). */
  readonly encoder: FrameEncoder;
}

/** The memory that frames are written into, one after the other. */
export interface ByteQueue {
  /** Makes room for `size` bytes in `memory`; returns where they begin. */
  reserve(size: number): number;
  readonly memory: Buffer;
  /** A frame was written into that room. */
  written(start: number, end: number): void;
}

/** A message to many connections: its frame is made once for each way of encoding it. */
export interface ShareableMessage {
  readonly payload: Uint8Array;
  encodedFrame(extension: MessageExtension, sharing: MessageSharing): Uint8Array | Promise<Uint8Array>;
}

export class Protocol extends FrameParser {
  /** Bytes of the payload of all messages that were framed, before an extension encoded them. */
  payloadBytes = 0;
  readonly #encoder: FrameEncoder;
  readonly #extension: MessageExtension | null;
  readonly #reader: MessageReader;
  #closeSent: CloseFrame | null = null;
  #receivedFirst = false;
  #isAmidMessage = false;

  /**
   * Both handlers are called synchronously within `receive`, in the order of arrival.
   *
   * @param messages receives what the peer sends
   * @param events learns of the peer's Close, and of what delays or ends the messages
   */
  constructor(messages: MessageHandler, events: ProtocolHandler, options: ProtocolOptions) {
    const reader = new MessageReader(messages, events, !options.encoder.isMasking, options);
    super(reader);
    this.#reader = reader;
    this.#encoder = options.encoder;
    this.#extension = options.extension;
  }

  get role(): Role {
    return this.#encoder.isMasking ? "client" : "server";
  }

  /** The Close that we sent; null before. No frame may follow it. */
  get closeSent(): CloseFrame | null {
    return this.#closeSent;
  }

  /** The Close that the peer sent; null before. Anything that it sends afterwards is ignored. */
  get closeReceived(): CloseFrame | null {
    return this.#reader.closeReceived;
  }

  /** Whether the peer's Close came before ours was sent. */
  get receivedFirst(): boolean {
    return this.closeReceived !== null && (this.#closeSent === null || this.#receivedFirst);
  }

  /** Whether we began a message of which the last fragment was not sent yet. */
  get isAmidMessage(): boolean {
    return this.#isAmidMessage;
  }

  /** Whether a message or a control frame has begun to arrive whose end has not. */
  get isReceiving(): boolean {
    return this.isAmidFrame || this.#reader.isAmidMessage;
  }

  /** Whether received data waits: an earlier message is still being decoded, or this turn has taken too long. */
  get isDecoding(): boolean {
    return this.#reader.isDecoding;
  }

  /** How many bytes of the newest chunk were copied. */
  get copiedBytes(): number {
    return this.#reader.copiedBytes;
  }

  /** Ends the wait that `mustYield` began. Call `resume` to continue. */
  endYield(): void {
    this.#reader.endYield();
  }

  /** Streams the message that is arriving, or the next one, to `handler` piece by piece; null stops that. */
  streamTo(handler: PieceHandler | null): void {
    this.#reader.streamTo(handler);
  }

  /** Drops all further messages. Everything else is still reported. */
  dropMessages(): void {
    this.#reader.dropMessages();
  }

  // Frames that are written into the caller's memory: the fast path.

  /** Writes a text message without encoding it by the extension. */
  writeText(queue: ByteQueue, text: string): void {
    this.#checkOpen();
    const start = queue.reserve(this.#encoder.maxTextFrameSize(text.length));
    const end = this.#encoder.writeText(queue.memory, start, text);
    queue.written(start, end);
    this.payloadBytes += this.#encoder.payloadSize(end - start);
  }

  /** Writes a frame with a copy of `payload`. */
  writeFrame(queue: ByteQueue, firstByte: number, payload: Uint8Array): void {
    this.#begin(firstByte, payload);
    const start = queue.reserve(this.#encoder.frameSize(payload.length));
    queue.written(start, this.#encoder.writeFrame(queue.memory, start, firstByte, payload));
  }

  // Frames in memory of their own: those that wait, and large ones.

  /** Frames a text message without encoding it by the extension. */
  textFrame(text: string): Uint8Array {
    this.#checkOpen();
    const frame = this.#encoder.textFrame(text);
    this.payloadBytes += this.#encoder.payloadSize(frame.length);
    return frame;
  }

  /** Frames a copy of `payload`. */
  frame(firstByte: number, payload: Uint8Array): Uint8Array {
    this.#begin(firstByte, payload);
    return this.#encoder.frame(firstByte, payload);
  }

  /** Frames `payload` without copying it. For servers only: a client masks what it sends. */
  frameChunks(firstByte: number, payload: Uint8Array): readonly Uint8Array[] {
    this.#begin(firstByte, payload);
    const header = Buffer.allocUnsafe(this.#encoder.frameSize(payload.length) - payload.length);
    this.#encoder.writeHeader(header, 0, firstByte, payload.length);
    return [header, payload];
  }

  /** Frames the Close, which may be sent once. Code 1005 makes an empty Close (section 5.5.1). */
  closeFrame(close: CloseFrame): Uint8Array {
    this.#checkOpen();
    // First, because a logger that is shown the frame may close the connection again.
    this.#closeSent = close;
    this.#receivedFirst = this.closeReceived !== null;
    return this.#encoder.frame(FIN | CLOSE, closePayload(close));
  }

  /**
   * Returns a frame that was made for many connections.
   * @throws InvalidStateError after the Close
   */
  pass<Frame>(frame: Frame): Frame {
    this.#checkOpen();
    return frame;
  }

  /** The first byte of the next fragment of a message (section 5.4). */
  fragmentByte(type: "binary" | "text", isLast: boolean): number {
    const opcode = this.#isAmidMessage ? CONTINUATION : type === "text" ? TEXT : BINARY;
    return isLast ? FIN | opcode : opcode;
  }

  /** The connection has ended: the extension frees what it holds. */
  end(): void {
    this.#extension?.end?.();
  }

  // Messages that the extension encodes. One that it encoded must be sent, in its place: the extension has counted on it.

  /** Whether the extension may encode a message of up to `size` bytes. */
  mayEncode(size: number): boolean {
    return this.#extension !== null && size >= this.#extension.threshold;
  }

  /** The first byte of a message that the extension encoded. */
  encodedByte(opcode: number): number {
    return FIN | (this.#extension?.reservedBits ?? 0) | opcode;
  }

  /** Encodes a message by the extension; null to send it as it is. Returns a promise if encoding takes long. */
  encode(payload: Uint8Array): Encoded | Promise<Encoded> {
    this.#checkOpen();
    const encoded = this.#extension?.encode(payload) ?? null;
    if (encoded !== null) this.payloadBytes += payload.length;
    return encoded;
  }

  /** Frames a message whose encoding took long. Our Close may have been framed meanwhile, and is sent after it. */
  lateFrame(opcode: number, payload: Uint8Array, encoded: Encoded): Uint8Array {
    if (encoded === null) return this.#encoder.frame(FIN | opcode, payload);
    return this.#encoder.frame(this.encodedByte(opcode), encoded);
  }

  /** The frame of a message that other connections send as well; null if the extension cannot share what it encodes. */
  sharedFrame(message: ShareableMessage): Uint8Array | Promise<Uint8Array> | null {
    this.#checkOpen();
    const sharing = this.#extension?.sharing;
    if (this.#extension === null || sharing === undefined) return null;
    const frame = message.encodedFrame(this.#extension, sharing);
    sharing.noteShared(message.payload);
    return frame;
  }

  #begin(firstByte: number, payload: Uint8Array): void {
    this.#checkOpen();
    if ((firstByte & CONTROL_BIT) !== 0) return; // It may come between two fragments.
    this.#isAmidMessage = (firstByte & FIN) === 0;
    if ((firstByte & RESERVED_BITS) === 0) this.payloadBytes += payload.length; // `encode` has counted the others.
  }

  /** Nothing follows a Close (section 5.5.1). */
  #checkOpen(): void {
    if (this.#closeSent !== null)
      throw new InvalidStateError("No frame may follow the Close frame that was sent.");
  }
}

function closePayload(close: CloseFrame): Uint8Array {
  if (close.code === 1005) return new Uint8Array(0);
  const payload = Buffer.alloc(2 + Buffer.byteLength(close.reason));
  payload.writeUInt16BE(close.code, 0);
  payload.write(close.reason, 2);
  return payload;
}
