/** Finds the ends of messages in a stream of frames. It parses headers only and skips payloads. */
export class FrameReader {
  /** Called with the payload of a Ping. */
  readonly #onPing: (payload: Buffer) => void;
  readonly #header = Buffer.alloc(14);
  #headerFilled = 0;
  #headerLength = 2;
  #payloadLeft = 0;
  #ping: Buffer[] = [];

  constructor(onPing: (payload: Buffer) => void) {
    this.#onPing = onPing;
  }

  /** Reads the first `length` bytes of a chunk. Returns the number of messages that end in them. */
  read(chunk: Buffer, length: number): number {
    let messages = 0;
    let offset = 0;
    while (offset < length) {
      if (this.#headerFilled < this.#headerLength) {
        this.#header[this.#headerFilled++] = chunk[offset++] ?? 0;
        if (!this.#hasHeader()) continue;
      }
      const taken = Math.min(this.#payloadLeft, length - offset);
      if (this.#opcode === 9 && taken > 0)
        this.#ping.push(Buffer.from(chunk.subarray(offset, offset + taken)));
      offset += taken;
      this.#payloadLeft -= taken;
      if (this.#payloadLeft > 0) break;
      messages += this.#finishFrame();
    }
    return messages;
  }

  get #opcode(): number {
    return (this.#header[0] ?? 0) & 0x0f;
  }

  // RFC 6455 section 5.2. Frames of a raw echo are masked; frames of a server are not.
  #hasHeader(): boolean {
    const lengthByte = this.#header[1] ?? 0;
    const shortLength = lengthByte & 0x7f;
    if (this.#headerFilled === 2) {
      const extended = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0;
      this.#headerLength = 2 + extended + (lengthByte & 0x80 ? 4 : 0);
    }
    if (this.#headerFilled < this.#headerLength) return false;
    if (shortLength < 126) this.#payloadLeft = shortLength;
    else if (shortLength === 126) this.#payloadLeft = this.#header.readUInt16BE(2);
    else this.#payloadLeft = Number(this.#header.readBigUInt64BE(2));
    return true;
  }

  /** Returns 1 if the frame was the last one of a message. */
  #finishFrame(): number {
    const isFinal = ((this.#header[0] ?? 0) & 0x80) !== 0;
    const opcode = this.#opcode;
    this.#headerFilled = 0;
    this.#headerLength = 2;
    if (opcode === 9) {
      this.#onPing(Buffer.concat(this.#ping));
      this.#ping = [];
    }
    return isFinal && opcode <= 2 ? 1 : 0;
  }
}
