// Negotiates permessage-deflate in the opening handshake, for both roles.

import type { deflateRawSync, inflateRawSync } from "node:zlib";
import { nodeModule } from "../node-module.js";
import { NegotiationError } from "../../shared/errors.js";
import { quote } from "../../shared/quote.js";
import { parseExtensions, serializeExtensions } from "../handshake/extension-header.js";
import { chooseOffer, DEFLATE_NAME, offerOf, readAnswer, type DeflateParameters } from "./parameters.js";
import { PermessageDeflate, type DeflateTuning } from "./permessage-deflate.js";
import { Z_SYNC_FLUSH } from "./zlib-options.js";

/** The compression settings of one side. */
export interface DeflateSettings {
  readonly wanted: DeflateParameters;
  readonly tuning: DeflateTuning;
  /**
   * Whether a client's preferred offer contains the size of the server's window and of its own. Without both it offers
   * the same as browsers, and compresses with a smaller window than negotiated. @default true
   */
  readonly namesServerWindow?: boolean;
  readonly namesClientWindow?: boolean;
}

/** The result of a negotiation. */
export interface NegotiatedDeflate {
  readonly extension: PermessageDeflate;
  /** The value of Sec-WebSocket-Extensions that states the agreement. */
  readonly header: string;
}

/**
 * The client's offers in order of preference, as the value of Sec-WebSocket-Extensions. The last offer is the one of
 * browsers, for servers that decline the preferred parameters (as section 7.1.2.1 allows). By default it is the only one,
 * because some servers accept two offers at once, which cannot work.
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

/** The server's choice from the client's offers; null for no compression. */
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
 * Interprets the server's answer for the client; null for no compression.
 *
 * @returns a NegotiationError if the answer does not match the offer (RFC 7692 section 7.1)
 */
export function readDeflateAnswer(
  answer: string | null,
  settings: DeflateSettings,
): NegotiatedDeflate | NegotiationError | null {
  if (answer === null) return null;
  const elements = parseExtensions(answer);
  if (typeof elements === "string") return new NegotiationError(elements);
  const [element] = elements;
  if (elements.length !== 1) return new NegotiationError(`Expected one extension, got ${elements.length}.`);
  // RFC 6455 section 4.1: an extension that was not offered fails the handshake.
  if (element.name !== DEFLATE_NAME)
    return new NegotiationError(`Expected the extension "${DEFLATE_NAME}", got ${quote(element.name)}.`);
  const agreed = readAnswer(element, wantedBy(settings), !hasDictionaries());
  if (typeof agreed === "string") return new NegotiationError(agreed);
  return { extension: new PermessageDeflate(false, agreed, settings.tuning), header: answer };
}

/** The wanted parameters, limited to what this runtime's zlib can do: context takeover needs dictionaries. */
function wantedBy({ wanted }: DeflateSettings): DeflateParameters {
  return hasDictionaries()
    ? wanted
    : { ...wanted, serverNoContextTakeover: true, clientNoContextTakeover: true };
}

/** The two functions of node:zlib that are tested. */
export interface RawZlib {
  readonly deflateRawSync: typeof deflateRawSync;
  readonly inflateRawSync: typeof inflateRawSync;
}

/** The result of the test below; null before it has run. */
let dictionarySupport: boolean | null = null;

/**
 * Whether raw streams use the option `dictionary`, as zlib documents (deflateSetDictionary). Deno, at least up to version
 * 2.9, accepts the option and ignores it, so it could neither read nor write references to earlier messages.
 */
export function hasDictionaries(): boolean {
  return (dictionarySupport ??= supportsDictionaries(nodeModule("node:zlib")));
}

export function supportsDictionaries(zlib: RawZlib): boolean {
  // No byte occurs twice, so only a reference to the dictionary can make the text shorter.
  const text = Uint8Array.from(Array(64).keys());
  const options = { dictionary: text, finishFlush: Z_SYNC_FLUSH };
  try {
    const compressed = zlib.deflateRawSync(text, options);
    return compressed.length < text.length && zlib.inflateRawSync(compressed, options).equals(text);
  } catch {
    return false; // Without the dictionary, zlib rejects the reference to it.
  }
}
