// The WebSocket protocol of one connection, for both roles, without I/O (RFC 6455 sections 5 to 7). It turns received
// bytes into events and calls into bytes. It uses no socket, clock or timer, and nothing that a peer sends makes it throw.

import type { CloseFrame } from "../shared/close-code.js";
import { InvalidStateError } from "../shared/errors.js";
import type { Encoded, MessageExtension } from "./extension.js";
import type { FrameEncoder } from "./frame/frame-encoder.js";
import { FrameParser } from "./frame/frame-parser.js";
import { BINARY, CLOSE, FIN, PING, PONG } from "../shared/opcode.js";
import { MessageReader, type MessageHandler } from "./message/message-reader.js";
import type { TextForm } from "../shared/text-bytes.js";
import type { PieceHandler } from "./message/piece-decoder.js";
import { asBuffer } from "./message/views.js";
import type { Role } from "../shared/role.js";

export interface ProtocolOptions {
  /** Shared by all connections of a role. A client's encoder masks frames, a server's does not (section 5.1). */
  readonly encoder: FrameEncoder;
  /** Maximum payload of a message, in bytes; null for no limit. */
  readonly maxMessageSize: number | null;
  /** The form in which text messages are delivered. @default "string" */
  readonly text?: TextForm;
  /** The negotiated extension; null for none. */
  readonly extension: MessageExtension | null;
}

export class Protocol {
  /** Encodes data frames into the caller's memory: the fast path next to `sendText` and `sendBinary`. */
  readonly encoder: FrameEncoder;
  readonly extension: MessageExtension | null;
  readonly #parser: FrameParser;
  readonly #reader: MessageReader;
  #closeSent: CloseFrame | null = null;
  #receivedFirst = false;

  /** @param events receives what the peer sends, synchronously within `receive` */
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

  /**
   * Processes bytes from the peer and emits the resulting events. It takes ownership of `chunk`, and payloads may be
   * views of it. If `isShared`, the memory is valid during the call only, and payloads that outlive the call are copies.
   *
   * @returns how many bytes were copied
   */
  receive(chunk: Uint8Array, isShared = false): number {
    const bytes = Buffer.isBuffer(chunk) ? chunk : asBuffer(chunk);
    this.#reader.copiedBytes = 0;
    this.#parser.receive(bytes, isShared);
    return this.#reader.copiedBytes;
  }

  /** Whether received data waits: an earlier message is still being decoded, or this turn has taken too long. */
  get isDecoding(): boolean {
    return this.#reader.isDecoding;
  }

  /** Ends the wait that `mustYield` began. Call `resume` to continue. */
  endYield(): void {
    this.#reader.endYield();
  }

  /** Streams the message that is arriving, or the next one, to `sink` piece by piece; null stops that. */
  streamTo(sink: PieceHandler | null): void {
    this.#reader.streamTo(sink);
  }

  /** Continues with the data that was received while a message was being decoded. */
  resume(): void {
    this.#parser.resume();
  }

  /** Whether received messages are held until `unpause`. */
  get isPaused(): boolean {
    return this.#parser.isPaused;
  }

  /** Stops delivering messages, including those of the chunk being received. Pings and Pongs are still delivered. */
  pause(): void {
    this.#parser.pause();
  }

  /** Continues with the held data. */
  unpause(): void {
    this.#parser.unpause();
  }

  /** Frames a text message without encoding it by the extension. */
  sendText(text: string): Uint8Array {
    this.#checkOpen();
    return this.encoder.textFrame(text);
  }

  /** Frames a binary message without encoding it by the extension. */
  sendBinary(payload: Uint8Array): Uint8Array {
    return this.#frame(FIN | BINARY, payload);
  }

  /** Frames a message that the extension may encode. Returns a promise if encoding takes long. */
  sendEncoded(opcode: number, payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const encoded = this.extension?.encode(payload) ?? null;
    if (!(encoded instanceof Promise)) return this.#encodedFrame(opcode, payload, encoded);
    return encoded.then((late) => this.#encodedFrame(opcode, payload, late));
  }

  /** Frames a Ping with at most 125 bytes of payload (section 5.5.2). */
  sendPing(payload: Uint8Array): Uint8Array {
    return this.#frame(FIN | PING, payload);
  }

  /** Frames a Pong with at most 125 bytes of payload (section 5.5.3). */
  sendPong(payload: Uint8Array): Uint8Array {
    return this.#frame(FIN | PONG, payload);
  }

  /** Frames the Close, which may be sent once. Code 1005 makes an empty Close (section 5.5.1). */
  sendClose(close: CloseFrame): Uint8Array {
    const bytes = this.#frame(FIN | CLOSE, closePayload(close));
    this.#closeSent = close;
    this.#receivedFirst = this.closeReceived !== null;
    return bytes;
  }

  #encodedFrame(opcode: number, payload: Uint8Array, encoded: Encoded): Uint8Array {
    // Not `#frame`, which throws after our Close: a message passed in before the Close is queued before it as well.
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
