// Arguments of the standard's classes: URL, subprotocols and Close, checked in the order of the standard
// (https://websockets.spec.whatwg.org).

import type { CloseFrame } from "../shared/close-code.js";
import { quoteURL } from "../shared/show-url.js";
import { isToken } from "../shared/token.js";
import { isIterable, isReason, toSequence, toUSVString } from "./conversions.js";

/** Converts `(DOMString or sequence<DOMString>)`. */
export function toProtocols(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return isIterable(value) ? toSequence("protocols", value) : [toUSVString(value)];
}

/**
 * Gets a URL record: an absolute URL, or in a page one relative to the page; `http:` and `https:` become `ws:` and `wss:`.
 * @throws DOMException "SyntaxError"
 */
export function parseURL(text: string): URL {
  const url = readURL(text);
  if (url === null)
    throw syntaxError(`Expected a URL such as "wss://example.com/chat", got ${quoteURL(text)}.`);
  // Changes between special schemes keep the rest of the URL, and drop a port that becomes the default.
  if (url.protocol === "http:") url.protocol = "ws:";
  else if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw syntaxError(`Expected a URL with the scheme ws: or wss:, got ${quoteURL(text)}.`);
  }
  // An empty fragment leaves `hash` empty, but its "#" remains in `href`.
  if (url.href.includes("#")) throw syntaxError(`Expected a URL without a fragment, got ${quoteURL(text)}.`);
  return url;
}

function readURL(text: string): URL | null {
  try {
    return new URL(text, typeof location === "undefined" ? undefined : location.href);
  } catch {
    return null;
  }
}

/** @throws DOMException "SyntaxError" for a name that is not a token, or that appears twice (in any case) */
export function checkProtocols(protocols: readonly string[]): void {
  const names = new Set<string>();
  for (const name of protocols) {
    if (!isToken(name))
      throw syntaxError(`Expected subprotocols that are tokens, got ${JSON.stringify(name)}.`);
    const folded = name.toLowerCase();
    if (names.has(folded)) throw syntaxError(`Expected subprotocols once each, got "${name}" again.`);
    names.add(folded);
  }
}

/**
 * The Close frame for the arguments of `close()`; without a code it is empty (1005).
 * @throws DOMException "InvalidAccessError" for a code other than 1000 and 3000–4999, "SyntaxError" for a long reason
 */
export function checkCloseFrame(code: number | null, reason: string): CloseFrame {
  if (code !== null && code !== 1000 && (code < 3000 || code > 4999)) {
    throw new DOMException(`Expected the code 1000 or one of 3000–4999, got ${code}.`, "InvalidAccessError");
  }
  if (!isReason(reason)) throw syntaxError("Expected a reason of at most 123 bytes of UTF-8, got more.");
  return { code: code ?? (reason === "" ? 1005 : 1000), reason };
}

function syntaxError(message: string): DOMException {
  return new DOMException(message, "SyntaxError");
}
