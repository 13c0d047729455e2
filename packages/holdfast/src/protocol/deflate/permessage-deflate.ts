// permessage-deflate (RFC 7692) as an extension of one connection: messages in and out of compression.

import type { Decoded, Encoded, MessageExtension, MessageSharing } from "../extension.js";
import { deflate } from "./deflate.js";
import { inflate } from "./inflate.js";
import { DEFLATE_NAME, type DeflateParameters } from "./parameters.js";
import { PlaintextWindow } from "./plaintext-window.js";

/** How this side compresses; nothing of it has to be agreed on. */
export interface DeflateTuning {
  /** Compression level of zlib, 1 (fast) to 9 (small). */
  readonly level: number;
  /** Memory level of zlib, 1 to 9. */
  readonly memLevel: number;
  /** Messages of fewer bytes are sent as they are. */
  readonly threshold: number;
}

/** Section 7.2.3.6: RSV1 of the first frame tells that the message is compressed. */
const RSV1 = 0x40;

export class PermessageDeflate implements MessageExtension, MessageSharing {
  readonly name = DEFLATE_NAME;
  readonly reservedBits = RSV1;
  readonly threshold: number;
  readonly #tuning: DeflateTuning;
  readonly #outgoingBits: number;
  readonly #incomingBits: number;
  /** Null without context takeover: then every message stands on its own. */
  readonly #outgoing: PlaintextWindow | null;
  readonly #incoming: PlaintextWindow | null;

  constructor(isServer: boolean, agreed: DeflateParameters, tuning: DeflateTuning) {
    this.#tuning = tuning;
    this.threshold = tuning.threshold;
    const server = { bits: agreed.serverMaxWindowBits, forgets: agreed.serverNoContextTakeover };
    const client = { bits: agreed.clientMaxWindowBits, forgets: agreed.clientNoContextTakeover };
    const [outgoing, incoming] = isServer ? [server, client] : [client, server];
    this.#outgoingBits = outgoing.bits;
    this.#incomingBits = incoming.bits;
    this.#outgoing = outgoing.forgets ? null : new PlaintextWindow(outgoing.bits);
    this.#incoming = incoming.forgets ? null : new PlaintextWindow(incoming.bits);
  }

  decode(payload: Uint8Array, maxSize: number): Decoded | Promise<Decoded> {
    const options = { windowBits: this.#incomingBits, dictionary: this.#incoming?.dictionary, maxSize };
    const decoded = inflate(payload, options);
    if (decoded instanceof Promise) return decoded.then((late) => this.#remember(late));
    return this.#remember(decoded);
  }

  /**
   * 9/8 of a message where every byte takes a code of nine bits, the longest of the fixed codes (RFC 1951
   * section 3.2.6), and 1/64 for an encoder that flushes every few hundred bytes, at five bytes each time.
   */
  maxEncodedSize(size: number): number {
    return size + Math.ceil(size / 8) + Math.ceil(size / 64) + 64;
  }

  /** What does not get smaller is sent as it is, which spares the peer the work (section 6). */
  encode(payload: Uint8Array): Encoded | Promise<Encoded> {
    if (payload.length < this.threshold) return null;
    const { level, memLevel } = this.#tuning;
    const window = this.#outgoing;
    const dictionary = window?.dictionary;
    const encoded = deflate(payload, { windowBits: this.#outgoingBits, level, memLevel, dictionary });
    if (encoded instanceof Promise) {
      // With a window it is too late to choose: what is sent next refers to this message. The few bytes that a large
      // message can grow by are less than the wait would cost.
      if (window === null) return encoded.then((late) => smaller(late, payload));
      window.push(payload);
      return encoded;
    }
    if (smaller(encoded, payload) === null) return null;
    // What the peer sees of the window is the plaintext alone, so the next message need not wait for this one.
    window?.push(payload);
    return encoded;
  }

  /**
   * A message may be compressed without a look at the window, also where the window is kept: nothing obliges to refer
   * back (section 7.2.1). The peer has it in its window all the same.
   */
  get sharing(): MessageSharing {
    return this;
  }

  get sharingKey(): number {
    return (this.#outgoingBits * 10 + this.#tuning.level) * 10 + this.#tuning.memLevel;
  }

  encodeShared(payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const { level, memLevel } = this.#tuning;
    return deflate(payload, { windowBits: this.#outgoingBits, level, memLevel, dictionary: undefined });
  }

  noteShared(payload: Uint8Array): void {
    this.#outgoing?.push(payload);
  }

  #remember(decoded: Decoded): Decoded {
    if (decoded instanceof Uint8Array) this.#incoming?.push(decoded);
    return decoded;
  }
}

function smaller(encoded: Uint8Array, payload: Uint8Array): Encoded {
  return encoded.length < payload.length ? encoded : null;
}
