// A message for many connections: its frames are made once.

import type { MessageExtension, MessageSharing } from "../../protocol/extension.js";
import { FrameEncoder } from "../../protocol/frame/frame-encoder.js";
import { BINARY, FIN, TEXT } from "../../shared/opcode.js";
import { TextBytes } from "../../shared/text-bytes.js";
import type { SharedMessage } from "../../connection/message-transport.js";
import type { Arena } from "./arena.js";

/** Servers mask no frame (RFC 6455 section 5.1), so one frame serves all connections. */
const encoder = new FrameEncoder(null);

export class SharedFrames implements SharedMessage {
  /** Bytes of the payload. */
  readonly size: number;
  /** Whether an extension may compress the payload. */
  readonly mayEncode: boolean;
  readonly isWord: boolean;
  /** The frame. It shares its memory with other frames of its turn, so it must not be kept for long. */
  readonly frame: Buffer;
  readonly #text: string | null;
  readonly #isText: boolean;
  #lastingFrame: Buffer | null = null;
  /** The piece that the frame was last joined to, and the result. */
  #previous: Uint8Array | null = null;
  #joined: Buffer | null = null;
  /** Encoded frames, by the extension's `sharingKey`. */
  #encodedFrames: Map<number, Uint8Array | Promise<Uint8Array>> | null = null;

  constructor(data: string | Uint8Array, mayEncode: boolean, arena: Arena, isWord = false) {
    this.mayEncode = mayEncode;
    this.isWord = isWord;
    this.#text = typeof data === "string" ? data : null;
    this.#isText = typeof data === "string" || data instanceof TextBytes;
    this.size = typeof data === "string" ? Buffer.byteLength(data) : data.length;
    this.frame = arena.take(encoder.frameSize(this.size));
    const start = encoder.writeHeader(this.frame, 0, FIN | this.opcode, this.size);
    if (typeof data === "string") this.frame.write(data, start, "utf8");
    else this.frame.set(data, start);
  }

  /** The frame for connections whose socket is blocked: a copy, which keeps no other frame in memory. */
  get lastingFrame(): Buffer {
    const isAlone = this.frame.buffer.byteLength <= 2 * this.frame.length;
    return (this.#lastingFrame ??= isAlone ? this.frame : copyOf(this.frame));
  }

  /**
   * A view of `previous` and the frame, if they are adjacent in memory; otherwise null. The result is cached, since
   * many connections ask for the same piece in sequence.
   */
  joinedTo(previous: Uint8Array): Buffer | null {
    if (previous === this.#previous) return this.#joined;
    const { buffer, byteOffset, length } = previous;
    const isBehind = buffer === this.frame.buffer && byteOffset + length === this.frame.byteOffset;
    this.#previous = previous;
    this.#joined = isBehind ? Buffer.from(this.frame.buffer, byteOffset, length + this.frame.length) : null;
    return this.#joined;
  }

  /** The message for connections that cannot send its frame. */
  get data(): string | Uint8Array {
    if (this.#text !== null) return this.#text;
    const payload = this.#payloadOf(this.lastingFrame);
    return this.#isText ? new TextBytes(payload) : payload;
  }

  /** The frame as an extension encodes it for many connections; a promise if that takes long. */
  encodedFrame(
    { reservedBits }: MessageExtension,
    sharing: MessageSharing,
  ): Uint8Array | Promise<Uint8Array> {
    let frame = this.#encodedFrames?.get(sharing.sharingKey);
    if (frame === undefined) {
      const frameOf = (payload: Uint8Array): Uint8Array =>
        encoder.frame(FIN | reservedBits | this.opcode, payload);
      const encoded = sharing.encodeShared(this.payload);
      frame = encoded instanceof Promise ? encoded.then(frameOf) : frameOf(encoded);
      this.#encodedFrames ??= new Map();
      this.#encodedFrames.set(sharing.sharingKey, frame);
    }
    return frame;
  }

  get payload(): Uint8Array {
    return this.#payloadOf(this.frame);
  }

  get opcode(): number {
    return this.#isText ? TEXT : BINARY;
  }

  #payloadOf(frame: Buffer): Uint8Array {
    return frame.subarray(frame.length - this.size);
  }
}

function copyOf(frame: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(frame.length);
  copy.set(frame);
  return copy;
}
