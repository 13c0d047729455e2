// permessage-deflate in the opening handshake, for both roles.

import { NegotiationError } from "../errors.js";
import { parseExtensions, serializeExtensions } from "../handshake/extension-header.js";
import { hasDictionaries } from "./dictionaries.js";
import { chooseOffer, offerOf, readAnswer, type DeflateParameters } from "./parameters.js";
import { PermessageDeflate, type DeflateTuning } from "./permessage-deflate.js";

/** What one side wants of compression. */
export interface DeflateSettings {
  readonly wanted: DeflateParameters;
  readonly tuning: DeflateTuning;
  /**
   * A client would rather have compression with any window of the server than none: it makes another offer, without
   * that parameter, since many servers do not know it (section 7.1.2.1 lets them decline).
   */
  readonly isServerWindowOptional?: boolean;
}

/** What came of a negotiation. */
export interface NegotiatedDeflate {
  readonly extension: PermessageDeflate;
  /** The value of Sec-WebSocket-Extensions that says so. */
  readonly header: string;
}

/** The client's offers, the best first: the value of Sec-WebSocket-Extensions. */
export function offerDeflate(settings: DeflateSettings): string {
  const preferred = wantedBy(settings);
  const acceptable = acceptableTo(settings);
  const isOneOffer =
    acceptable.serverMaxWindowBits === preferred.serverMaxWindowBits && preferred.clientMaxWindowBits === 15;
  const offers = isOneOffer ? [offerOf(preferred)] : [offerOf(preferred), offerOf(acceptable, false)];
  return serializeExtensions(offers);
}

/** The server's choice among the client's offers; null for no compression. */
export function acceptDeflate(offer: string | null, settings: DeflateSettings): NegotiatedDeflate | null {
  if (offer === null) return null;
  const offers = parseExtensions(offer);
  const choice = typeof offers === "string" ? null : chooseOffer(offers, wantedBy(settings));
  if (choice === null) return null;
  return {
    extension: new PermessageDeflate(true, choice.agreed, settings.tuning),
    header: serializeExtensions([choice.answer]),
  };
}

/**
 * The client's reading of the server's answer; null for no compression.
 *
 * @returns a NegotiationError where the answer does not fit the offer (RFC 7692 section 7.1)
 */
export function readDeflateAnswer(
  answer: string | null,
  settings: DeflateSettings,
): NegotiatedDeflate | NegotiationError | null {
  if (answer === null) return null;
  const elements = parseExtensions(answer);
  if (typeof elements === "string") return new NegotiationError(elements);
  if (elements.length !== 1) return new NegotiationError(`Expected one extension, got ${elements.length}`);
  const agreed = readAnswer(elements[0], acceptableTo(settings));
  if (typeof agreed === "string") return new NegotiationError(agreed);
  return { extension: new PermessageDeflate(false, agreed, settings.tuning), header: answer };
}

/** The least that a client asks for. */
function acceptableTo(settings: DeflateSettings): DeflateParameters {
  const wanted = wantedBy(settings);
  return settings.isServerWindowOptional === true ? { ...wanted, serverMaxWindowBits: 15 } : wanted;
}

/** What is wanted, as far as the zlib of this runtime can do it: without dictionaries no message refers to another. */
function wantedBy({ wanted }: DeflateSettings): DeflateParameters {
  return hasDictionaries()
    ? wanted
    : { ...wanted, serverNoContextTakeover: true, clientNoContextTakeover: true };
}
