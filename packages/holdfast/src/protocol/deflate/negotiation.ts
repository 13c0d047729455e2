// permessage-deflate in the opening handshake, for both roles.

import { NegotiationError } from "../../shared/errors.js";
import { parseExtensions, serializeExtensions } from "../handshake/extension-header.js";
import { hasDictionaries } from "./dictionaries.js";
import { chooseOffer, offerOf, readAnswer, type DeflateParameters } from "./parameters.js";
import { PermessageDeflate, type DeflateTuning } from "./permessage-deflate.js";

/** What one side wants of compression. */
export interface DeflateSettings {
  readonly wanted: DeflateParameters;
  readonly tuning: DeflateTuning;
  /**
   * Whether a client's preferred offer names the server's window, and its own. Without either it offers what browsers
   * offer, and compresses with less than the window that it may use. @default true
   */
  readonly namesServerWindow?: boolean;
  readonly namesClientWindow?: boolean;
}

/** What came of a negotiation. */
export interface NegotiatedDeflate {
  readonly extension: PermessageDeflate;
  /** The value of Sec-WebSocket-Extensions that says so. */
  readonly header: string;
}

/**
 * The client's offers, the best first: the value of Sec-WebSocket-Extensions. Its wishes are preferences: servers that
 * decline them (section 7.1.2.1 lets them) find the offer of browsers behind, which is the only one by default. Some
 * servers accept two offers at once, which cannot work.
 */
export function offerDeflate(settings: DeflateSettings): string {
  const wanted = wantedBy(settings);
  const forgets = !hasDictionaries();
  const preferred = offerOf({
    ...wanted,
    serverMaxWindowBits: settings.namesServerWindow === false ? 15 : wanted.serverMaxWindowBits,
    clientMaxWindowBits: settings.namesClientWindow === false ? 15 : wanted.clientMaxWindowBits,
  });
  const fallback = offerOf({
    serverNoContextTakeover: forgets,
    clientNoContextTakeover: forgets,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  });
  const offers = [serializeExtensions([preferred]), serializeExtensions([fallback])];
  return [...new Set(offers)].join(", ");
}

/** The server's choice among the client's offers; null for no compression. */
export function acceptDeflate(offer: string | null, settings: DeflateSettings): NegotiatedDeflate | null {
  if (offer === null) return null;
  const offers = parseExtensions(offer);
  const choice =
    typeof offers === "string" ? null : chooseOffer(offers, wantedBy(settings), !hasDictionaries());
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
  const agreed = readAnswer(elements[0], wantedBy(settings), !hasDictionaries());
  if (typeof agreed === "string") return new NegotiationError(agreed);
  return { extension: new PermessageDeflate(false, agreed, settings.tuning), header: answer };
}

/** What is wanted, as far as the zlib of this runtime can do it: without dictionaries no message refers to another. */
function wantedBy({ wanted }: DeflateSettings): DeflateParameters {
  return hasDictionaries()
    ? wanted
    : { ...wanted, serverNoContextTakeover: true, clientNoContextTakeover: true };
}
