// permessage-deflate (RFC 7692) as an extension of one connection: compresses and decompresses its messages.

import type { Decoded, Encoded, MessageExtension, MessageSharing } from "../extension.js";
import { deflate } from "./deflate.js";
import { forgetWindow } from "./chosen-calls.js";
import { inflate } from "./inflate.js";
import { DEFLATE_NAME, type DeflateParameters } from "./parameters.js";
import { PlaintextWindow } from "./plaintext-window.js";

/** How this side compresses. None of it is negotiated. */
export interface DeflateTuning {
  /** zlib's compression level, 1 (fast) to 9 (small). */
  readonly level: number;
  /** zlib's memory level, 1 to 9. */
  readonly memLevel: number;
  /** Messages with fewer bytes are sent uncompressed. */
  readonly threshold: number;
}

/** RSV1 of the first frame marks a compressed message (section 6). */
const RSV1 = 0x40;

export class PermessageDeflate implements MessageExtension, MessageSharing {
  readonly name = DEFLATE_NAME;
  readonly reservedBits = RSV1;
  readonly threshold: number;
  readonly #tuning: DeflateTuning;
  readonly #outgoingBits: number;
  readonly #incomingBits: number;
  /** Null without context takeover, when no message refers to another. */
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
   * Adds 1/8 for a message in which every byte takes nine bits, the longest of the fixed codes (RFC 1951 section 3.2.6),
   * and 1/64 for an encoder that flushes every few hundred bytes, at five bytes each time.
   */
  maxEncodedSize(size: number): number {
    return size + Math.ceil(size / 8) + Math.ceil(size / 64) + 64;
  }

  /** Sends a message uncompressed if compression does not make it smaller, which saves the peer work (section 6). */
  encode(payload: Uint8Array): Encoded | Promise<Encoded> {
    if (payload.length < this.threshold) return null;
    const { level, memLevel } = this.#tuning;
    const window = this.#outgoing;
    const encoded = deflate(payload, { windowBits: this.#outgoingBits, level, memLevel, window });
    if (encoded instanceof Promise) {
      // With a window, send the compressed form in any case: the next message refers to this one before its size is known.
      // The few bytes by which a large message can grow cost less than waiting.
      if (window === null) return encoded.then((late) => smaller(late, payload));
      window.push(payload);
      return encoded;
    }
    if (smaller(encoded, payload) === null) {
      this.#forget();
      return null;
    }
    // The window holds plaintext only, so the next message need not wait for the compression of this one.
    window?.push(payload);
    return encoded;
  }

  /**
   * A message may be compressed without using the window, even with context takeover: referring back is optional
   * (section 7.2.1). The peer still adds the message to its window.
   */
  get sharing(): MessageSharing {
    return this;
  }

  get sharingKey(): number {
    return (this.#outgoingBits * 10 + this.#tuning.level) * 10 + this.#tuning.memLevel;
  }

  encodeShared(payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const { level, memLevel } = this.#tuning;
    return deflate(payload, { windowBits: this.#outgoingBits, level, memLevel, window: null });
  }

  noteShared(payload: Uint8Array): void {
    this.#forget();
    this.#outgoing?.push(payload);
  }

  end(): void {
    this.#forget();
  }

  #forget(): void {
    if (this.#outgoing !== null) forgetWindow(this.#outgoing);
  }

  #remember(decoded: Decoded): Decoded {
    if (decoded instanceof Uint8Array) this.#incoming?.push(decoded);
    return decoded;
  }
}

function smaller(encoded: Uint8Array, payload: Uint8Array): Encoded {
  return encoded.length < payload.length ? encoded : null;
}
