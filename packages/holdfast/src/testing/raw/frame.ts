// A second implementation of RFC 6455 section 5.2, so that the scripted peers do not share the library's mistakes.

import { type BytesLike, concatBytes, toBytes } from "../bytes.js";

/** The opcodes of RFC 6455 section 5.2. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame to build. Nothing is checked, because these peers exist to send invalid frames. */
export interface FrameOptions {
  /** 0 to 15; OPCODE names the defined ones. */
  readonly opcode: number;
  /** A string stands for its latin1 bytes. @default no bytes */
  readonly payload?: BytesLike | undefined;
  /** The bit FIN: whether it is the last fragment of a message. @default true */
  readonly isFinal?: boolean | undefined;
  /** The three reserved bits as a number: 4 is RSV1, which marks compressed messages. @default 0 */
  readonly rsv?: number | undefined;
  /** Whether to mask, or the key to mask with. @default false; true for a peer in the client role */
  readonly mask?: boolean | Uint8Array | undefined;
  /** The bits of the length field; 16 and 64 may be more than needed. @default "minimal" */
  readonly lengthEncoding?: "minimal" | 16 | 64 | undefined;
  /** The length to declare instead of the payload's; a bigint for 2^53 and more. @default the payload's */
  readonly declaredLength?: number | bigint | undefined;
}

/** A frame that was read; the payload is unmasked. */
export interface RawFrame {
  /** 0 to 15; `OPCODE` names the defined ones. */
  readonly opcode: number;
  /** Whether it is the last fragment of a message. */
  readonly isFinal: boolean;
  /** The three reserved bits as a number: 4 is RSV1. */
  readonly rsv: number;
  /** Whether it arrived masked. */
  readonly isMasked: boolean;
  readonly payload: Uint8Array;
}

/** The key of the examples in RFC 6455 section 5.7. */
const EXAMPLE_KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** The bytes of a frame, as invalid as the options make it. */
export function frame(options: FrameOptions): Uint8Array<ArrayBuffer> {
  const { opcode, isFinal = true, rsv = 0, mask = false, lengthEncoding = "minimal" } = options;
  const payload = toBytes(options.payload ?? "");
  const length = encodeLength(BigInt(options.declaredLength ?? payload.length), lengthEncoding);
  const first = Uint8Array.of((isFinal ? 0x80 : 0) | (rsv << 4) | opcode);
  if (mask === false) return concatBytes([first, length, payload]);
  const key = mask === true ? EXAMPLE_KEY : mask;
  length[0] |= 0x80;
  return concatBytes([first, length, key, applyMask(payload, key)]);
}

/** The payload of a Close frame (RFC 6455 section 5.5.1): empty without a code. */
export function closePayload(code?: number, reason = ""): Uint8Array<ArrayBuffer> {
  if (code === undefined) return new Uint8Array();
  return concatBytes([Uint8Array.of(code >> 8, code & 0xff), Buffer.from(reason, "utf8")]);
}

/** The first frame in `bytes` and its size; null if it is not complete yet. */
export function parseFrame(bytes: Uint8Array): { value: RawFrame; length: number } | null {
  const [first, second] = [bytes.at(0), bytes.at(1)];
  if (first === undefined || second === undefined) return null;
  const isMasked = second >= 0x80;
  const extraLengthBytes = { 126: 2, 127: 8 }[second & 0x7f] ?? 0;
  const keyStart = 2 + extraLengthBytes;
  const payloadStart = keyStart + (isMasked ? 4 : 0);
  if (bytes.length < payloadStart) return null;
  const length = extraLengthBytes === 0 ? second & 0x7f : bigEndian(bytes.subarray(2, keyStart));
  const end = payloadStart + length;
  if (bytes.length < end) return null;
  const payload = toBytes(bytes.subarray(payloadStart, end));
  if (isMasked) applyMask(payload, bytes.subarray(keyStart, payloadStart));
  const value = { opcode: first & 0x0f, isFinal: first >= 0x80, rsv: (first >> 4) & 7, isMasked, payload };
  return { value, length: end };
}

function encodeLength(length: bigint, encoding: "minimal" | 16 | 64): Uint8Array<ArrayBuffer> {
  const bits = encoding !== "minimal" ? encoding : length < 126n ? 7 : length < 65_536n ? 16 : 64;
  if (bits === 7) return Uint8Array.of(Number(length));
  const encoded = new Uint8Array(1 + bits / 8);
  const view = new DataView(encoded.buffer);
  view.setUint8(0, bits === 16 ? 126 : 127);
  if (bits === 16) view.setUint16(1, Number(length));
  else view.setBigUint64(1, length);
  return encoded;
}

function bigEndian(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

function applyMask(payload: Uint8Array<ArrayBuffer>, key: Uint8Array): Uint8Array<ArrayBuffer> {
  for (let index = 0; index < payload.length; index++) {
    payload[index] = (payload[index] ?? 0) ^ (key[index % 4] ?? 0);
  }
  return payload;
}
