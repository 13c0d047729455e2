// The four parameters of permessage-deflate (RFC 7692 section 7.1): read, and agreed on.

import type { ExtensionElement, ExtensionParameter } from "../handshake/extension-header.js";
import { quote } from "../../shared/quote.js";

export const DEFLATE_NAME = "permessage-deflate";

/** What both sides agreed on. */
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

/** The parameters of one offer, or of one answer, as they were written. */
interface WrittenParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  /** Null where it is not there. */
  readonly serverMaxWindowBits: number | null;
  /** Null where it is not there; "any" where it came without a value, as it may in an offer. */
  readonly clientMaxWindowBits: number | "any" | null;
}

/** A client's offer of these parameters. Windows of 15 bits need no words. */
export function offerOf(parameters: DeflateParameters): ExtensionElement {
  const { serverMaxWindowBits, clientMaxWindowBits } = parameters;
  return {
    name: DEFLATE_NAME,
    parameters: [
      ...flag("server_no_context_takeover", parameters.serverNoContextTakeover),
      ...flag("client_no_context_takeover", parameters.clientNoContextTakeover),
      ...(serverMaxWindowBits < 15 ? bits("server_max_window_bits", serverMaxWindowBits) : []),
      // Section 7.1.2.2: only a client that names it may be told a smaller window.
      ...(clientMaxWindowBits < 15
        ? bits("client_max_window_bits", clientMaxWindowBits)
        : flag("client_max_window_bits", true)),
    ],
  };
}

/**
 * The server's decision on the offers, in the client's order of preference: the first that it can accept, and the
 * answer; null to decline them all (section 7.1).
 */
export function chooseOffer(
  offers: readonly ExtensionElement[],
  wanted: DeflateParameters,
  mustForget = false,
): { readonly agreed: DeflateParameters; readonly answer: ExtensionElement } | null {
  for (const offer of offers) {
    if (offer.name !== DEFLATE_NAME) continue;
    const asked = readParameters(offer.parameters, true);
    if (typeof asked !== "string") return answerTo(asked, wanted, mustForget);
  }
  return null;
}

/**
 * The client's judgement of the answer: what was agreed on, or the sentence that says what is wrong with it.
 *
 * @param mustForget whether this side cannot read what refers to an earlier message, so that each of its offers said so
 */
export function readAnswer(
  answer: ExtensionElement,
  wanted: DeflateParameters,
  mustForget: boolean,
): DeflateParameters | string {
  const told = readParameters(answer.parameters, false);
  if (typeof told === "string") return told;
  if (mustForget && !told.serverNoContextTakeover) {
    return "Expected server_no_context_takeover, as it was offered, got an answer without it";
  }
  return {
    serverNoContextTakeover: told.serverNoContextTakeover,
    // Section 7.1.1.2: a client may do so unasked, and does where it was asked to.
    clientNoContextTakeover: told.clientNoContextTakeover || wanted.clientNoContextTakeover,
    serverMaxWindowBits: told.serverMaxWindowBits ?? 15,
    // Section 7.1.2.2: more than was hinted at is no mistake, and changes nothing.
    clientMaxWindowBits:
      typeof told.clientMaxWindowBits === "number"
        ? Math.min(told.clientMaxWindowBits, wanted.clientMaxWindowBits)
        : wanted.clientMaxWindowBits,
  };
}

/**
 * Says only what was offered: some clients reject anything else, whatever section 7.1 allows. What the server itself
 * does, it may do unsaid: forget its window, or use less of it.
 */
function answerTo(
  asked: WrittenParameters,
  wanted: DeflateParameters,
  mustForget: boolean,
): { readonly agreed: DeflateParameters; readonly answer: ExtensionElement } {
  const mayLimitClient = asked.clientMaxWindowBits !== null;
  const clientLimit = typeof asked.clientMaxWindowBits === "number" ? asked.clientMaxWindowBits : 15;
  const agreed: DeflateParameters = {
    serverNoContextTakeover: asked.serverNoContextTakeover || wanted.serverNoContextTakeover,
    // Section 7.1.1.2 allows it unasked: without it, this side could not read what the client sends.
    clientNoContextTakeover: asked.clientNoContextTakeover || mustForget,
    serverMaxWindowBits: Math.min(asked.serverMaxWindowBits ?? 15, wanted.serverMaxWindowBits),
    clientMaxWindowBits: mayLimitClient ? Math.min(clientLimit, wanted.clientMaxWindowBits) : 15,
  };
  const parameters = [
    ...flag("server_no_context_takeover", asked.serverNoContextTakeover),
    ...flag("client_no_context_takeover", agreed.clientNoContextTakeover),
    ...(asked.serverMaxWindowBits === null ? [] : bits("server_max_window_bits", agreed.serverMaxWindowBits)),
    ...(mayLimitClient && agreed.clientMaxWindowBits < 15
      ? bits("client_max_window_bits", agreed.clientMaxWindowBits)
      : []),
  ];
  return { agreed, answer: { name: DEFLATE_NAME, parameters } };
}

/** Section 7: unknown, repeated or invalid parameters make the whole of it invalid. */
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
    if (seen.has(name)) return `Expected each parameter of ${DEFLATE_NAME} once, got ${quote(name)} twice`;
    seen.add(name);
    const windowBits = value !== null && WINDOW_BITS.test(value) ? Number(value) : null;
    if (name === "server_no_context_takeover" && value === null) read.serverNoContextTakeover = true;
    else if (name === "client_no_context_takeover" && value === null) read.clientNoContextTakeover = true;
    else if (name === "server_max_window_bits" && windowBits !== null) read.serverMaxWindowBits = windowBits;
    else if (name === "client_max_window_bits" && windowBits !== null) read.clientMaxWindowBits = windowBits;
    else if (name === "client_max_window_bits" && value === null && isOffer) read.clientMaxWindowBits = "any";
    else
      return `Expected a parameter of ${DEFLATE_NAME} (RFC 7692 section 7.1), got ${quote(value === null ? name : `${name}=${value}`)}`;
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
