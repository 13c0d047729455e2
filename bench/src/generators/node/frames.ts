import { randomFillSync } from "node:crypto";
import type { EchoLoad } from "../../workload.js";

/** Enough different frames that repetition helps no peer, and few enough to fit into the caches. */
const differentFrames = 64;

const printable = "abcdefghijklmnopqrstuvwxyz0123456789 ,.:;{}\"'()[]";

/** Masked client frames in one contiguous buffer, so that any few consecutive ones take one write. */
export class FrameRing {
  readonly #frames: Buffer;
  readonly #frameLength: number;
  readonly #different: number;

  constructor(load: Pick<EchoLoad, "payload" | "size" | "depth">) {
    this.#different = load.size >= 65_536 ? 1 : differentFrames;
    const ring = Array.from({ length: this.#different }, () => maskedFrame(load));
    this.#frameLength = ring[0]?.length ?? 0;
    // The start is repeated after the end, so that a slice never has to wrap around.
    const repeated = Array.from(
      { length: load.depth },
      (_, index) => ring[index % ring.length] ?? Buffer.alloc(0),
    );
    this.#frames = Buffer.concat([...ring, ...repeated]);
  }

  /** `count` frames, at most the depth, starting with number `sent`. */
  take(sent: number, count: number): Buffer {
    const start = (sent % this.#different) * this.#frameLength;
    return this.#frames.subarray(start, start + count * this.#frameLength);
  }
}

function maskedFrame(load: Pick<EchoLoad, "payload" | "size">): Buffer {
  const mask = randomFillSync(Buffer.alloc(4));
  const payload = randomFillSync(Buffer.alloc(load.size));
  const isText = load.payload !== "binary";
  if (isText) toPrintable(payload);
  for (let index = 0; index < payload.length; index++) {
    payload.writeUInt8(payload.readUInt8(index) ^ mask.readUInt8(index & 3), index);
  }
  return Buffer.concat([header(isText ? 1 : 2, load.size, MASK_BIT), mask, payload]);
}

function toPrintable(payload: Buffer): void {
  for (let index = 0; index < payload.length; index++) {
    payload[index] = printable.charCodeAt(payload.readUInt8(index) % printable.length);
  }
}

/** A frame as servers send it: unmasked. */
export function serverFrame(payload: "text" | "binary", size: number): Buffer {
  return Buffer.concat([header(payload === "text" ? 1 : 2, size, 0), Buffer.alloc(size, "a")]);
}

const MASK_BIT = 0x80;

// RFC 6455 section 5.2: FIN, the opcode, the mask bit, and the length in 7, 16 or 64 bits.
function header(opcode: number, length: number, maskBit: number): Buffer {
  const first = 0x80 | opcode;
  if (length < 126) return Buffer.from([first, maskBit | length]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = maskBit | (length < 65_536 ? 126 : 127);
  if (length < 65_536) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}
