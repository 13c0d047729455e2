// Reads and negotiates the four parameters of permessage-deflate (RFC 7692 section 7.1).

import type { ExtensionElement, ExtensionParameter } from "../handshake/extension-header.js";
import { quote } from "../../shared/quote.js";

export const DEFLATE_NAME = "permessage-deflate";

/** The parameters of a connection, or those that one side wants. */
export interface DeflateParameters {
  /** The server forgets its window after each message. */
  readonly serverNoContextTakeover: boolean;
  /** The client forgets its window after each message. */
  readonly clientNoContextTakeover: boolean;
  /** The server's window is at most 2 to this power, in bytes: 8 to 15. */
  readonly serverMaxWindowBits: number;
  /** The client's window is at most 2 to this power, in bytes: 8 to 15. */
  readonly clientMaxWindowBits: number;
}

/** The parameters as written in one offer or one answer. */
interface WrittenParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  /** Null if it is missing. */
  readonly serverMaxWindowBits: number | null;
  /** Null if it is missing; "any" if it has no value, as an offer allows. */
  readonly clientMaxWindowBits: number | "any" | null;
}

/** A client's offer of these parameters. A window of 15 bits is the default and not written. */
export function offerOf(parameters: DeflateParameters): ExtensionElement {
  const { serverMaxWindowBits, clientMaxWindowBits } = parameters;
  return {
    name: DEFLATE_NAME,
    parameters: [
      ...flag("server_no_context_takeover", parameters.serverNoContextTakeover),
      ...flag("client_no_context_takeover", parameters.clientNoContextTakeover),
      ...(serverMaxWindowBits < 15 ? bits("server_max_window_bits", serverMaxWindowBits) : []),
      // Section 7.1.2.2: a server may limit the client's window only if the offer contains this parameter.
      ...(clientMaxWindowBits < 15
        ? bits("client_max_window_bits", clientMaxWindowBits)
        : flag("client_max_window_bits", true)),
    ],
  };
}

/**
 * The server's choice: accepts the first valid offer, in the client's order of preference, and builds the answer; null
 * to decline all offers (section 7.1).
 *
 * @param mustForget whether this side cannot read references to earlier messages, so that the client must not make any
 */
export function chooseOffer(
  offers: readonly ExtensionElement[],
  wanted: DeflateParameters,
  mustForget = false,
): { readonly agreed: DeflateParameters; readonly answer: ExtensionElement } | null {
  for (const offer of offers) {
    if (offer.name !== DEFLATE_NAME) continue;
    const offered = readParameters(offer.parameters, true);
    if (typeof offered !== "string") return answerTo(offered, wanted, mustForget);
  }
  return null;
}

/**
 * Checks the answer for the client: returns the agreed parameters, or an error message.
 *
 * @param mustForget whether this side cannot read references to earlier messages, as each of its offers stated
 */
export function readAnswer(
  answer: ExtensionElement,
  wanted: DeflateParameters,
  mustForget: boolean,
): DeflateParameters | string {
  const answered = readParameters(answer.parameters, false);
  if (typeof answered === "string") return answered;
  if (mustForget && !answered.serverNoContextTakeover) {
    return "Expected server_no_context_takeover, as it was offered, got an answer without it.";
  }
  return {
    serverNoContextTakeover: answered.serverNoContextTakeover,
    // Section 7.1.1.2: a client may do so on its own, and must if the server demands it.
    clientNoContextTakeover: answered.clientNoContextTakeover || wanted.clientNoContextTakeover,
    serverMaxWindowBits: answered.serverMaxWindowBits ?? 15,
    // Section 7.1.2.2: a larger window than the offer's hint is valid and has no effect.
    clientMaxWindowBits:
      typeof answered.clientMaxWindowBits === "number"
        ? Math.min(answered.clientMaxWindowBits, wanted.clientMaxWindowBits)
        : wanted.clientMaxWindowBits,
  };
}

/**
 * Answers only with parameters that the client offered: some clients reject others, although section 7.1 allows them. The
 * server may still forget its own window, or use less of it, without stating that.
 */
function answerTo(
  offered: WrittenParameters,
  wanted: DeflateParameters,
  mustForget: boolean,
): { readonly agreed: DeflateParameters; readonly answer: ExtensionElement } {
  const mayLimitClient = offered.clientMaxWindowBits !== null;
  const clientLimit = typeof offered.clientMaxWindowBits === "number" ? offered.clientMaxWindowBits : 15;
  const agreed: DeflateParameters = {
    serverNoContextTakeover: offered.serverNoContextTakeover || wanted.serverNoContextTakeover,
    // Section 7.1.1.2 allows this without an offer. Otherwise this side could not read the client's messages.
    clientNoContextTakeover: offered.clientNoContextTakeover || mustForget,
    serverMaxWindowBits: Math.min(offered.serverMaxWindowBits ?? 15, wanted.serverMaxWindowBits),
    clientMaxWindowBits: mayLimitClient ? Math.min(clientLimit, wanted.clientMaxWindowBits) : 15,
  };
  const parameters = [
    ...flag("server_no_context_takeover", offered.serverNoContextTakeover),
    ...flag("client_no_context_takeover", agreed.clientNoContextTakeover),
    ...(offered.serverMaxWindowBits === null
      ? []
      : bits("server_max_window_bits", agreed.serverMaxWindowBits)),
    ...(mayLimitClient && agreed.clientMaxWindowBits < 15
      ? bits("client_max_window_bits", agreed.clientMaxWindowBits)
      : []),
  ];
  return { agreed, answer: { name: DEFLATE_NAME, parameters } };
}

/** Section 7: an unknown, repeated or invalid parameter makes the whole offer or answer invalid. */
function readParameters(
  parameters: readonly ExtensionParameter[],
  isOffer: boolean,
): WrittenParameters | string {
  const read: { -readonly [Name in keyof WrittenParameters]: WrittenParameters[Name] } = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: null,
    clientMaxWindowBits: null,
  };
  const seen = new Set<string>();
  for (const { name, value } of parameters) {
    if (seen.has(name)) return `Expected each parameter of ${DEFLATE_NAME} once, got ${quote(name)} twice.`;
    seen.add(name);
    const windowBits = value !== null && WINDOW_BITS.test(value) ? Number(value) : null;
    if (name === "server_no_context_takeover" && value === null) read.serverNoContextTakeover = true;
    else if (name === "client_no_context_takeover" && value === null) read.clientNoContextTakeover = true;
    else if (name === "server_max_window_bits" && windowBits !== null) read.serverMaxWindowBits = windowBits;
    else if (name === "client_max_window_bits" && windowBits !== null) read.clientMaxWindowBits = windowBits;
    else if (name === "client_max_window_bits" && value === null && isOffer) read.clientMaxWindowBits = "any";
    else
      return `Expected a parameter of ${DEFLATE_NAME} (RFC 7692 section 7.1), got ${quote(value === null ? name : `${name}=${value}`)}.`;
  }
  return read;
}

/** Section 7.1.2: 8 to 15 in decimal, without leading zeros. */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

function flag(name: string, isSet: boolean): readonly ExtensionParameter[] {
  return isSet ? [{ name, value: null }] : [];
}

function bits(name: string, value: number): readonly ExtensionParameter[] {
  return [{ name, value: String(value) }];
}
