// Tokens and comma-separated lists of tokens, the grammar of most HTTP fields.

import { quote } from "./quote.js";

/** RFC 9110 section 5.6.1.2: a recipient ignores "a reasonable number of empty list elements". */
export const MAX_EMPTY_ELEMENTS = 16;

/** Whether `text` is a token (RFC 9110 section 5.6.2). */
export function isToken(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (!isTokenCode(text.charCodeAt(index))) return false;
  }
  return text.length > 0;
}

/** Whether a token may contain this byte or UTF-16 code unit. */
export function isTokenCode(code: number): boolean {
  return TOKEN_CODES[code] === 1;
}

/** The tokens of a comma-separated list of at least one token; or an error message. */
export function parseTokenList(list: string): readonly string[] | string {
  const tokens: string[] = [];
  let emptyElements = 0;
  for (let start = 0, end; start <= list.length; start = end + 1) {
    end = endOfElement(list, start);
    const element = trimWhitespace(list, start, end);
    if (isToken(element)) tokens.push(element);
    else if (element !== "")
      return `Expected a comma-separated list of tokens, got the element ${quote(element)}.`;
    else if (++emptyElements > MAX_EMPTY_ELEMENTS) {
      return `Expected at most ${MAX_EMPTY_ELEMENTS} empty elements in a comma-separated list, got more.`;
    }
  }
  return tokens.length > 0 ? tokens : `Expected at least one token, got ${quote(list)}.`;
}

/** Whether a comma-separated list contains `token`, ignoring case. `token` must be in lower case. */
export function listHasToken(list: string, token: string): boolean {
  for (let start = 0, end; start <= list.length; start = end + 1) {
    end = endOfElement(list, start);
    // Compare the length first, so that a long list does not allocate a string for each element.
    if (end - start >= token.length && trimWhitespace(list, start, end).toLowerCase() === token) return true;
  }
  return false;
}

/**
 * The part of `text` between two offsets, without leading and trailing spaces and tabs (OWS, RFC 9110 section 5.6.3).
 * `String.prototype.trim` would strip more, such as the no-break space, which field values may contain.
 */
export function trimWhitespace(text: string, start: number, end: number): string {
  while (start < end && isWhitespaceCode(text.charCodeAt(start))) start++;
  while (end > start && isWhitespaceCode(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Whether a code unit is a space or a tab. */
export function isWhitespaceCode(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function endOfElement(list: string, start: number): number {
  const comma = list.indexOf(",", start);
  return comma === -1 ? list.length : comma;
}

const TOKEN_CODES = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN_CODES[character.charCodeAt(0)] = 1;
}
