// Turns frames into messages: enforces the rules of RFC 6455 for received frames and assembles fragments.

/* eslint max-lines: ["warn", { "max": 315, "skipBlankLines": true, "skipComments": true }] -- One state machine; rules, text decoding and streaming are in separate files. */

import type { CloseFrame } from "../../shared/close-code.js";
import { MessageTooBigError, ProtocolError } from "../../shared/errors.js";
import type { Decoded, MessageExtension, ProtocolFailure } from "../extension.js";
import type { FrameHandler } from "../frame/frame-parser.js";
import {
  CLOSE,
  CONTINUATION,
  CONTROL_BIT,
  FIN,
  MAX_CONTROL_PAYLOAD,
  OPCODE_BITS,
  PING,
  PONG,
  RESERVED_BITS,
  TEXT,
} from "../../shared/opcode.js";
import { readLatin1 } from "../text-calls.js";
import {
  describeLength,
  problemOfLength,
  problemOfClose,
  problemOfMask,
  problemOfOpcode,
  problemOfReservedBits,
} from "./frame-rules.js";
import { MessageBuffer } from "./message-buffer.js";
import type { BytesHandler, MessageHandler, ProtocolHandler, ReceiveSettings } from "./message-handler.js";
import { PartialMessage } from "./partial-message.js";
import type { PieceHandler } from "./piece-decoder.js";
import { decodeText, decodeValidText, isValidText } from "./utf8.js";
import { asBuffer, copyOf, textBytesOf, viewOf } from "./views.js";

export class MessageReader implements FrameHandler {
  readonly #messages: MessageHandler;
  readonly #events: ProtocolHandler;
  readonly #expectsMask: boolean;
  readonly #maxMessageSize: number;
  readonly #wantsTextBytes: boolean;
  readonly #extension: MessageExtension | null;
  readonly #onBytes: BytesHandler | null;
  #isDropping = false;

  // The current chunk.
  #isShared = false;
  #copiedBytes = 0;

  // The current frame.
  #opcode = 0;
  #frameLength = 0;
  #isFinal = false;
  /** The opcode of the message being assembled: TEXT or BINARY, or CONTINUATION for none. */
  #messageOpcode = CONTINUATION;
  #isEncoded = false;
  /** The message, once a part of it has arrived that is not all of it. */
  #partial: PartialMessage | null = null;
  #control: MessageBuffer | null = null;
  #hasFailed = false;
  #closeReceived: CloseFrame | null = null;
  #isDecoding = false;
  #isYielding = false;
  /** Frames until the next call of `mustYield`. */
  #framesUntilYieldCheck = FRAMES_PER_YIELD_CHECK;
  /** Payload bytes announced for the message so far. */
  #messageSize = 0;
  /** Receives the current message, or the next one, in pieces; null to assemble it. */
  #pieceHandler: PieceHandler | null = null;

  /** @param isServer a server accepts only masked frames, a client only unmasked ones (section 5.1) */
  constructor(
    messages: MessageHandler,
    events: ProtocolHandler,
    isServer: boolean,
    settings: ReceiveSettings,
  ) {
    this.#messages = messages;
    this.#events = events;
    this.#expectsMask = isServer;
    // Even without a limit, an unreadable length cannot be received.
    this.#maxMessageSize = settings.maxMessageSize ?? Number.MAX_SAFE_INTEGER;
    this.#wantsTextBytes = settings.text === "bytes";
    this.#extension = settings.extension;
    this.#onBytes = settings.onBytes ?? null;
  }

  /** Bytes of this chunk that were handed out as copies, or put together with others. */
  get copiedBytes(): number {
    return this.#copiedBytes;
  }

  beginChunk(isShared: boolean): void {
    this.#isShared = isShared;
    this.#copiedBytes = 0;
  }

  dropMessages(): void {
    this.#isDropping = true;
  }

  /** Whether a message is being decoded asynchronously, or frames wait for a later turn. */
  get isDecoding(): boolean {
    return this.#isDecoding || this.#isYielding;
  }

  endYield(): void {
    this.#isYielding = false;
  }

  /**
   * Streams the message that is arriving to `handler` piece by piece, or else the next one that arrives in several parts;
   * null stops that. The part assembled so far is the first piece. An encoded message is not split.
   */
  streamTo(handler: PieceHandler | null): void {
    this.#pieceHandler = handler;
    if (handler === null || this.#partial === null || this.#isEncoded) return;
    if (this.#messageSize > this.#sizeLimit()) return void this.#failSize();
    this.#partial.streamTo(handler);
  }

  /** Whether a message has begun whose last fragment has not arrived. */
  get isAmidMessage(): boolean {
    return this.#messageOpcode !== CONTINUATION;
  }

  /** The peer's Close; null before it arrives. */
  get closeReceived(): CloseFrame | null {
    return this.#closeReceived;
  }

  mayOvertake(firstByte: number, isMasked: boolean, length: number, isLengthValid: boolean): boolean {
    return (
      (firstByte === (FIN | PING) || firstByte === (FIN | PONG)) &&
      isMasked === this.#expectsMask &&
      isLengthValid &&
      length <= MAX_CONTROL_PAYLOAD
    );
  }

  beginFrame(firstByte: number, isMasked: boolean, length: number, isLengthValid: boolean): boolean {
    if (--this.#framesUntilYieldCheck <= 0) this.#checkYield();
    const opcode = firstByte & OPCODE_BITS;
    this.#opcode = opcode;
    this.#frameLength = length;
    this.#isFinal = (firstByte & FIN) !== 0;
    if (this.#closeReceived !== null) return false; // Section 1.4: ignore everything after a Close.
    if (this.#hasFailed) return opcode === CLOSE && this.#isFinal && length <= MAX_CONTROL_PAYLOAD;

    const problem = this.#problemOf(firstByte, isMasked, length, isLengthValid);
    if (problem !== null) return this.#fail(problem);
    return (opcode & CONTROL_BIT) !== 0 || this.#beginData(firstByte, opcode, length);
  }

  wholePayload(chunk: Buffer, start: number, end: number, isAscii: boolean): void {
    // Decoding may outlast a shared chunk.
    const mayReadInPlace = this.#isEncoded ? !this.#isShared : this.#partial === null;
    if ((this.#opcode & CONTROL_BIT) !== 0) {
      this.#deliverControl(chunk, start, end);
    } else if (this.#isFinal && this.#opcode !== CONTINUATION && mayReadInPlace) {
      // The fast path: decode or deliver a whole message in one chunk without copying it.
      this.#messageOpcode = CONTINUATION;
      if (this.#isEncoded) this.#deliverEncoded(chunk.subarray(start, end), this.#opcode === TEXT);
      else if (this.#opcode === TEXT) this.#deliverText(chunk, start, end, isAscii);
      else if (this.#onBytes !== null) this.#deliverBytes(chunk.subarray(start, end), false);
      else this.#deliver(this.#lasting(chunk, start, end));
    } else {
      this.#takePiece(chunk, start, end, 0, isAscii);
      this.endFrame();
    }
  }

  payloadPiece(chunk: Buffer, start: number, end: number, key: number): void {
    this.#takePiece(chunk, start, end, key, false);
  }

  endFrame(): void {
    if ((this.#opcode & CONTROL_BIT) !== 0) {
      const payload = this.#control?.take() ?? EMPTY;
      this.#control = null;
      this.#deliverControl(payload, 0, payload.length);
    } else if (this.#isFinal && !this.#hasFailed) {
      this.#endMessage();
    }
  }

  #takePiece(chunk: Buffer, start: number, end: number, key: number, isAscii: boolean): void {
    if ((this.#opcode & CONTROL_BIT) !== 0) {
      this.#control ??= new MessageBuffer(MAX_CONTROL_PAYLOAD);
      this.#control.append(chunk, start, end, 0, key);
      return;
    }
    if (this.#hasFailed) return;
    this.#copiedBytes += end - start;
    const partial = (this.#partial ??= this.#beginPartial());
    if (!partial.add(chunk, start, end, this.#frameLength, key, isAscii)) this.#failText();
  }

  /** Delivers the current frame in any case; the next one may have to wait. */
  #checkYield(): void {
    this.#framesUntilYieldCheck = FRAMES_PER_YIELD_CHECK;
    if (!this.#isYielding && this.#events.mustYield?.() === true) this.#isYielding = true;
  }

  #problemOf(firstByte: number, isMasked: boolean, length: number, isLengthValid: boolean): string | null {
    if (isMasked !== this.#expectsMask) return problemOfMask(firstByte, this.#expectsMask);
    const reserved = firstByte & RESERVED_BITS;
    const bits = reserved === 0 ? null : problemOfReservedBits(firstByte, this.#extension?.reservedBits ?? 0);
    if (bits !== null) return bits;
    if (!isLengthValid) return problemOfLength(length);
    return problemOfOpcode(firstByte, length, this.#messageOpcode !== CONTINUATION);
  }

  #beginData(firstByte: number, opcode: number, length: number): boolean {
    if (opcode !== CONTINUATION) {
      this.#messageOpcode = opcode;
      this.#isEncoded = (firstByte & RESERVED_BITS) !== 0;
      this.#messageSize = 0;
    }
    this.#messageSize += length;
    return this.#messageSize <= this.#sizeLimit() || this.#beginLarge();
  }

  /** A message that is too large to be assembled may still be delivered in pieces. */
  #beginLarge(): boolean {
    if (this.#pieceHandler !== null || this.#isEncoded || this.#isDropping) return this.#failSize();
    this.#events.onLargeMessage?.(this.#messageSize);
    const handler = this.#pieceHandler as PieceHandler | null; // The event may have set it.
    if (handler === null || this.#messageSize > this.#sizeLimit()) return this.#failSize();
    this.#partial ??= this.#beginPartial();
    return true;
  }

  #beginPartial(): PartialMessage {
    const partial = new PartialMessage(this.#messageOpcode === TEXT, this.#isEncoded, this.#sizeLimit());
    if (this.#pieceHandler !== null && !this.#isEncoded) partial.streamTo(this.#pieceHandler);
    return partial;
  }

  /** The most bytes that the message may take on the wire. An encoded message is checked again after decoding. */
  #sizeLimit(): number {
    if (!this.#isEncoded || this.#extension === null)
      return this.#pieceHandler?.maxSize ?? this.#maxMessageSize;
    return Math.min(this.#extension.maxEncodedSize(this.#maxMessageSize), Number.MAX_SAFE_INTEGER);
  }

  #deliverControl(bytes: Buffer, start: number, end: number): void {
    if (this.#opcode === PING) this.#messages.onPing(copyOf(bytes, start, end));
    else if (this.#opcode === PONG) this.#messages.onPong(copyOf(bytes, start, end));
    else this.#deliverClose(bytes.subarray(start, end));
  }

  #deliverClose(payload: Buffer): void {
    const problem = problemOfClose(payload);
    if (problem !== null) {
      this.#fail(problem.message, problem.closeCode);
      return;
    }
    this.#closeReceived = {
      code: payload.length === 0 ? 1005 : payload.readUInt16BE(0),
      reason: payload.toString("utf8", 2),
    };
    this.#events.onClose(this.#closeReceived);
  }

  #deliver(message: string | Uint8Array): void {
    if (!this.#isDropping) this.#messages.onMessage(message);
  }

  #deliverBytes(payload: Buffer, isText: boolean): void {
    if (this.#isDropping) return;
    if (this.#isShared) this.#copiedBytes += payload.length;
    this.#onBytes?.(this.#isShared ? Buffer.from(payload) : payload, isText);
  }

  #deliverText(bytes: Buffer, start: number, end: number, isAscii = false): void {
    if (this.#onBytes !== null) {
      const payload = bytes.subarray(start, end);
      if (isAscii || isValidText(payload)) this.#deliverBytes(payload, true);
      else this.#failText();
      return;
    }
    if (this.#wantsTextBytes) {
      if (isAscii || isValidText(bytes.subarray(start, end)))
        this.#deliver(textBytesOf(this.#lasting(bytes, start, end)));
      else this.#failText();
      return;
    }
    const text = isAscii ? readLatin1(bytes, start, end) : decodeText(bytes, start, end);
    if (text === null) this.#failText();
    else this.#deliver(text);
  }

  #deliverValidText(bytes: Buffer, isAscii: boolean): void {
    if (this.#onBytes !== null) this.#deliverBytes(bytes, true);
    else if (this.#wantsTextBytes) this.#deliver(textBytesOf(bytes));
    else this.#deliver(isAscii ? readLatin1(bytes, 0, bytes.length) : decodeValidText(bytes));
  }

  #endMessage(): void {
    const isText = this.#messageOpcode === TEXT;
    const isEncoded = this.#isEncoded;
    const partial = this.#partial; // Null if all fragments are empty.
    this.#forgetMessage();
    if (partial?.isStreamed === true) {
      this.#pieceHandler = null;
      if (!partial.endPieces()) this.#failText();
      return;
    }
    const payload = partial === null ? EMPTY : partial.take();
    if (payload === null) this.#failText();
    else if (isEncoded) this.#deliverEncoded(payload, isText);
    else if (isText) this.#deliverValidText(payload, partial?.isAscii ?? true);
    else if (this.#onBytes !== null) this.#deliverBytes(payload, false);
    else this.#deliver(viewOf(payload));
  }

  /** @param payload is read until the message has been decoded, which may be later */
  #deliverEncoded(payload: Uint8Array, isText: boolean): void {
    this.#framesUntilYieldCheck = 0; // Decoding takes as long as many frames do.
    const decoded = this.#extension?.decode(payload, this.#maxMessageSize) ?? payload;
    if (decoded instanceof Promise) void this.#deliverLater(decoded, isText);
    else this.#deliverDecoded(decoded, isText);
  }

  async #deliverLater(promised: Promise<Decoded>, isText: boolean): Promise<void> {
    this.#isDecoding = true;
    this.#events.onDecodingBegun();
    const decoded = await promised;
    this.#isDecoding = false;
    this.#deliverDecoded(decoded, isText);
    this.#events.onDecodingEnded();
  }

  #deliverDecoded(decoded: Decoded, isText: boolean): void {
    if (decoded instanceof Error) this.#failWith(decoded);
    else if (isText) this.#deliverText(asBuffer(decoded), 0, decoded.length);
    else if (this.#onBytes !== null) this.#deliverBytes(asBuffer(decoded), false);
    else this.#deliver(viewOf(decoded));
  }

  /** A view of the bytes, or a copy if their memory is shared. */
  #lasting(bytes: Buffer, start: number, end: number): Uint8Array {
    const view = viewOf(bytes, start, end);
    if (!this.#isShared) return view;
    this.#copiedBytes += end - start;
    return view.slice();
  }

  #forgetMessage(): void {
    this.#messageOpcode = CONTINUATION;
    this.#isEncoded = false;
    this.#partial = null;
  }

  #failText(): false {
    return this.#fail("Expected UTF-8 in a text message, got other bytes.", 1007);
  }

  #failSize(): false {
    const size = this.#messageSize;
    const limit = this.#isEncoded ? this.#maxMessageSize : this.#sizeLimit();
    const encoded = this.#isEncoded ? " encoded ones" : "";
    const text = `Expected a message of at most ${limit} bytes, got ${describeLength(size)}${encoded}.`;
    return this.#failWith(new MessageTooBigError(text, size, limit));
  }

  #fail(message: string, closeCode = 1002): false {
    return this.#failWith(new ProtocolError(message, closeCode));
  }

  #failWith(failure: ProtocolFailure): false {
    if (this.#hasFailed) return false;
    this.#hasFailed = true;
    this.#forgetMessage();
    this.#events.onFailure(failure);
    return false;
  }
}

const EMPTY = Buffer.alloc(0);

/** A check takes about 50 ns. The number is small so that slow callbacks of 1 ms each delay the check by little. */
const FRAMES_PER_YIELD_CHECK = 16;
