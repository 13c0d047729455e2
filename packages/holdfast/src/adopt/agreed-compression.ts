// The result of negotiating compression, for code that does the opening handshake itself.

import type { NegotiatedDeflate } from "../protocol/deflate/negotiation.js";
import { invalidArgument } from "../shared/option-checks.js";

let read: (agreed: AgreedCompression) => NegotiatedDeflate;
// It takes the class: nothing else may refer to it, and a bundler would leave it out.
let create: (Class: typeof AgreedCompression, deflate: NegotiatedDeflate) => AgreedCompression;

/** The agreed compression of one connection, made by an `Adopter`. */
export class AgreedCompression {
  readonly #deflate: NegotiatedDeflate;

  static {
    read = (agreed) => agreed.#deflate;
    create = (Class, deflate) => new Class(deflate);
  }

  private constructor(deflate: NegotiatedDeflate) {
    this.#deflate = deflate;
  }

  /** The value of Sec-WebSocket-Extensions in the response. */
  get header(): string {
    return this.#deflate.header;
  }
}

export function createAgreement(deflate: NegotiatedDeflate | null): AgreedCompression | null {
  return deflate === null ? null : create(AgreedCompression, deflate);
}

export function agreedDeflate(agreed: AgreedCompression | null): NegotiatedDeflate | null {
  if (agreed === null) return null;
  if (agreed instanceof AgreedCompression) return read(agreed);
  throw invalidArgument("handshake.compression", "an AgreedCompression or null", agreed);
}
