// One connection's protocol, for both roles, sans I/O (RFC 6455 sections 5 to 7): bytes in, events out; calls in,
// bytes out. It knows no socket, clock, timer or promise, and throws for nothing that a peer sends.

import type { CloseFrame } from "../shared/close-code.js";
import { InvalidStateError } from "../shared/errors.js";
import { closeOf, type Encoded, type MessageExtension, type ProtocolFailure } from "./extension.js";
import type { FrameEncoder } from "./frame/frame-encoder.js";
import { FrameParser } from "./frame/frame-parser.js";
import { BINARY, CLOSE, FIN, PING, PONG } from "../shared/opcode.js";
import { MessageReader, type MessageHandler } from "./message/message-reader.js";
import type { TextForm } from "../shared/text-form.js";
import type { PieceHandler } from "./message/piece-decoder.js";
import { asBuffer } from "./message/views.js";
import type { Role } from "../shared/role.js";

export interface ProtocolOptions {
  /** Shared by all connections of a role: a client's masks, a server's does not (section 5.1). */
  readonly encoder: FrameEncoder;
  /** Bytes of a message's payload; null for no limit. */
  readonly maxMessageSize: number | null;
  /** What a text message is told as. @default "string" */
  readonly text?: TextForm;
  /** As negotiated; null for none. */
  readonly extension: MessageExtension | null;
}

export class Protocol {
  /** Encodes data frames into the caller's memory: the fast path beside `sendText` and `sendBinary`. */
  readonly encoder: FrameEncoder;
  readonly extension: MessageExtension | null;
  readonly #parser: FrameParser;
  readonly #reader: MessageReader;
  #closeSent: CloseFrame | null = null;
  #receivedFirst = false;

  /** @param events is told what the peer sends, from within `receive` */
  constructor(events: MessageHandler, options: ProtocolOptions) {
    this.encoder = options.encoder;
    this.extension = options.extension;
    this.#reader = new MessageReader(events, {
      isServer: !options.encoder.isMasking,
      maxMessageSize: options.maxMessageSize,
      text: options.text ?? "string",
      extension: options.extension,
    });
    this.#parser = new FrameParser(this.#reader);
  }

  get role(): Role {
    return this.encoder.isMasking ? "client" : "server";
  }

  /** The Close that was sent: from then on, no frame may follow. */
  get closeSent(): CloseFrame | null {
    return this.#closeSent;
  }

  /** The Close that the peer sent: what it sends afterwards is ignored. */
  get closeReceived(): CloseFrame | null {
    return this.#reader.closeReceived;
  }

  /** Whether the peer's Close came before ours was sent. */
  get receivedFirst(): boolean {
    return this.closeReceived !== null && (this.#closeSent === null || this.#receivedFirst);
  }

  /**
   * Takes bytes from the peer, and tells the events that they make. It owns them, and payloads may be views of them,
   * unless the chunk `isLent`: of one that is good for the time of the call, what outlives the call is a copy.
   * Returns how many bytes were copied for that reason.
   */
  receive(chunk: Uint8Array, isLent = false): number {
    const bytes = Buffer.isBuffer(chunk) ? chunk : asBuffer(chunk);
    this.#reader.copiedBytes = 0;
    this.#parser.receive(bytes, isLent);
    return this.#reader.copiedBytes;
  }

  /** Whether what was received waits: a message before it is being decoded elsewhere, or this turn has taken long. */
  get isDecoding(): boolean {
    return this.#reader.isDecoding;
  }

  /** What waits because of `mustYield` may go on: `resume` does it. */
  endYield(): void {
    this.#reader.endYield();
  }

  /** Hands the message that is arriving, or the next one, out piece by piece; null for none. */
  streamTo(sink: PieceHandler | null): void {
    this.#reader.streamTo(sink);
  }

  /** Goes on with what was received while a message was being decoded. */
  resume(): void {
    this.#parser.resume();
  }

  /** Whether what is received is held back. */
  get isPaused(): boolean {
    return this.#parser.isPaused;
  }

  /** Tells no more messages, also of the chunk that is being received; Pings and Pongs go on. */
  pause(): void {
    this.#parser.pause();
  }

  /** Goes on with what was held back. */
  unpause(): void {
    this.#parser.unpause();
  }

  /** The frame of a text message, as it is. */
  sendText(text: string): Uint8Array {
    this.#checkOpen();
    return this.encoder.textFrame(text);
  }

  /** The frame of a binary message, as it is. */
  sendBinary(payload: Uint8Array): Uint8Array {
    return this.#frame(FIN | BINARY, payload);
  }

  /** The frame of a message that the extension may encode; promised where that takes long. */
  sendEncoded(opcode: number, payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const encoded = this.extension?.encode(payload) ?? null;
    if (!(encoded instanceof Promise)) return this.#encodedFrame(opcode, payload, encoded);
    return encoded.then((late) => this.#encodedFrame(opcode, payload, late));
  }

  /** The frame of a Ping; at most 125 bytes of payload (section 5.5.2). */
  sendPing(payload: Uint8Array): Uint8Array {
    return this.#frame(FIN | PING, payload);
  }

  /** The frame of a Pong; at most 125 bytes of payload (section 5.5.3). */
  sendPong(payload: Uint8Array): Uint8Array {
    return this.#frame(FIN | PONG, payload);
  }

  /** The Close frame, once; code 1005 makes an empty one (section 5.5.1). */
  sendClose(close: CloseFrame): Uint8Array {
    const bytes = this.#frame(FIN | CLOSE, closePayload(close));
    this.#closeSent = close;
    this.#receivedFirst = this.closeReceived !== null;
    return bytes;
  }

  /** The Close that tells the peer how it broke the rules (section 7.1.7). */
  sendFailure(failure: ProtocolFailure): Uint8Array {
    return this.sendClose(closeOf(failure));
  }

  #encodedFrame(opcode: number, payload: Uint8Array, encoded: Encoded): Uint8Array {
    // Not `#frame`: what was promised before our Close is queued before it, too.
    if (encoded === null || this.extension === null) return this.encoder.frame(FIN | opcode, payload);
    return this.encoder.frame(FIN | this.extension.reservedBits | opcode, encoded);
  }

  #frame(firstByte: number, payload: Uint8Array): Uint8Array {
    this.#checkOpen();
    return this.encoder.frame(firstByte, payload);
  }

  #checkOpen(): void {
    if (this.#closeSent !== null)
      throw new InvalidStateError("No frame may follow the Close frame that was sent");
  }
}

function closePayload(close: CloseFrame): Uint8Array {
  if (close.code === 1005) return new Uint8Array(0);
  const payload = Buffer.alloc(2 + Buffer.byteLength(close.reason));
  payload.writeUInt16BE(close.code, 0);
  payload.write(close.reason, 2);
  return payload;
}
