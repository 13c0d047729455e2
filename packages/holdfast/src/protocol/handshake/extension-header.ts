// The Sec-WebSocket-Extensions field (RFC 6455 section 9.1):
//   extension-list  = 1#extension
//   extension       = extension-token *( ";" extension-param )
//   extension-param = token [ "=" (token | quoted-string) ]
// The grammar is that of RFC 2616, which allows spaces and tabs between any two words.

import { quote } from "../../shared/quote.js";
import { isToken, isTokenCode, isWhitespaceCode, MAX_EMPTY_ELEMENTS } from "../../shared/token.js";

/** One parameter of an extension; `value` is null if it has none. */
export interface ExtensionParameter {
  readonly name: string;
  readonly value: string | null;
}

/** One offered or accepted extension. Repeated parameters are kept, and the extension decides about them. */
export interface ExtensionElement {
  readonly name: string;
  readonly parameters: readonly ExtensionParameter[];
}

/** Parses the field's value. Returns an error message if it does not follow the grammar. */
export function parseExtensions(header: string): readonly ExtensionElement[] | string {
  const cursor = new Cursor(header);
  const extensions: ExtensionElement[] = [];
  let emptyElements = 0;
  do {
    const name = cursor.token();
    if (name !== "") {
      const parameters = parseParameters(cursor);
      if (typeof parameters === "string") return parameters;
      extensions.push({ name, parameters });
    } else if (++emptyElements > MAX_EMPTY_ELEMENTS) {
      return `Expected at most ${MAX_EMPTY_ELEMENTS} empty elements in a list of extensions, got more.`;
    }
  } while (cursor.skip(","));
  if (!cursor.isAtEnd) return cursor.expected("the name of an extension, a comma or a semicolon");
  return extensions.length > 0 ? extensions : cursor.expected("at least one extension");
}

/** Writes the field's value. Names and values are tokens. */
export function serializeExtensions(extensions: readonly ExtensionElement[]): string {
  return extensions
    .map(({ name, parameters }) => [name, ...parameters.map(serializeParameter)].join("; "))
    .join(", ");
}

function parseParameters(cursor: Cursor): readonly ExtensionParameter[] | string {
  const parameters: ExtensionParameter[] = [];
  while (cursor.skip(";")) {
    const name = cursor.token();
    if (name === "") return cursor.expected("the name of a parameter");
    if (!cursor.skip("=")) {
      parameters.push({ name, value: null });
      continue;
    }
    const value = cursor.isAt('"') ? cursor.quotedString() : cursor.token();
    // RFC 6455 section 9.1: "the value after quoted-string unescaping MUST conform to the 'token' ABNF".
    if (!isToken(value)) return cursor.expected(`a token, quoted or not, as the value of ${quote(name)}`);
    parameters.push({ name, value });
  }
  return parameters;
}

function serializeParameter({ name, value }: ExtensionParameter): string {
  return value === null ? name : `${name}=${value}`;
}

/** Reads a text word by word. It never goes back, so that parsing takes linear time. */
class Cursor {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipWhitespace();
  }

  get isAtEnd(): boolean {
    return this.#position === this.#text.length;
  }

  isAt(character: string): boolean {
    return this.#text[this.#position] === character;
  }

  /** Steps over a separator, if it is the next character. */
  skip(separator: string): boolean {
    if (!this.isAt(separator)) return false;
    this.#position++;
    this.#skipWhitespace();
    return true;
  }

  /** The next token; empty if there is none. */
  token(): string {
    const start = this.#position;
    while (isTokenCode(this.#text.charCodeAt(this.#position))) this.#position++;
    const token = this.#text.slice(start, this.#position);
    this.#skipWhitespace();
    return token;
  }

  /** The unescaped content of a quoted string (RFC 9110 section 5.6.4); empty if the closing quote is missing. */
  quotedString(): string {
    const start = this.#position + 1;
    let end = start;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === "\\" ? 2 : 1;
    if (end >= this.#text.length) return "";
    this.#position = end + 1;
    this.#skipWhitespace();
    return this.#text.slice(start, end).replace(/\\([^])/g, "$1");
  }

  expected(what: string): string {
    const got = this.isAtEnd ? "the end" : quote(this.#text.slice(this.#position));
    return `Expected ${what} at offset ${this.#position} of the list of extensions, got ${got}.`;
  }

  #skipWhitespace(): void {
    while (isWhitespaceCode(this.#text.charCodeAt(this.#position))) this.#position++;
  }
}
