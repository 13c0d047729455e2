import { trimWhitespace } from "../../shared/token.js";

/**
 * The header fields of a request or a response, as they stand on the wire.
 *
 * It holds one string and looks fields up by walking its lines: a handshake asks for a dozen fields once, and
 * ten thousand idle connections each keep their request. Names such as `__proto__` are names like any other,
 * as there is no object that they could be keys of.
 */
export class HeaderList implements Iterable<readonly [name: string, value: string]> {
  readonly #text: string;
  readonly #start: number;

  /** `text` holds, from `start` to its end, lines that were checked to be `name ":" value CRLF`. */
  constructor(text: string, start = 0) {
    this.#text = text;
    this.#start = start;
  }

  /** The value of the field, several joined by ", " (RFC 9110 section 5.3); null where there is none. */
  get(name: string): string | null {
    let joined: string | null = null;
    for (
      let line = this.#find(name, this.#start);
      line !== -1;
      line = this.#find(name, this.#nextLine(line))
    ) {
      const value = this.#valueAt(line + name.length + 1);
      joined = joined === null ? value : `${joined}, ${value}`;
    }
    return joined;
  }

  /** The values of the field, one for each line that carries it. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (
      let line = this.#find(name, this.#start);
      line !== -1;
      line = this.#find(name, this.#nextLine(line))
    ) {
      values.push(this.#valueAt(line + name.length + 1));
    }
    return values;
  }

  /** How many lines carry the field. */
  count(name: string): number {
    let lines = 0;
    for (
      let line = this.#find(name, this.#start);
      line !== -1;
      line = this.#find(name, this.#nextLine(line))
    ) {
      lines++;
    }
    return lines;
  }

  /** Names as they were sent, and values, line by line. */
  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (let line = this.#start; line < this.#text.length; line = this.#nextLine(line)) {
      const colon = this.#text.indexOf(":", line);
      yield [this.#text.slice(line, colon), this.#valueAt(colon + 1)];
    }
  }

  /** The same fields as a standard `Headers`, made anew at each call. */
  toHeaders(): Headers {
    const headers = new Headers();
    for (const [name, value] of this) headers.append(name, value);
    return headers;
  }

  /** The lines as they stand on the wire. */
  toString(): string {
    return this.#text.slice(this.#start);
  }

  /** The first line at or after `line` that carries the field, or -1. */
  #find(name: string, line: number): number {
    // Without a colon in `name`, a colon right behind it is the first of its line, hence the end of a name.
    if (name.includes(":")) return -1;
    for (; line < this.#text.length; line = this.#nextLine(line)) {
      if (this.#text.charCodeAt(line + name.length) === COLON && this.#startsWith(name, line)) return line;
    }
    return -1;
  }

  /** Names are case-insensitive (RFC 9110 section 5.1). Compared in place: nothing is allocated. */
  #startsWith(name: string, line: number): boolean {
    for (let index = 0; index < name.length; index++) {
      const wanted = name.charCodeAt(index);
      const found = this.#text.charCodeAt(line + index);
      if (wanted !== found && !((wanted ^ found) === CASE_BIT && isLetterCode(wanted))) return false;
    }
    return true;
  }

  #nextLine(line: number): number {
    return this.#text.indexOf("\n", line) + 1;
  }

  #valueAt(start: number): string {
    return trimWhitespace(this.#text, start, this.#text.indexOf("\r", start));
  }
}

const COLON = 0x3a;
/** What tells an upper-case ASCII letter from its lower-case twin. */
const CASE_BIT = 0x20;

function isLetterCode(code: number): boolean {
  const lowerCase = code | CASE_BIT;
  return lowerCase >= 0x61 && lowerCase <= 0x7a;
}
