// The header fields of a handshake.

import { trimWhitespace } from "../../shared/token.js";

/**
 * The header fields of a request or a response, as on the wire.
 *
 * It keeps one string and scans its lines to look up a field. That saves memory: a handshake reads only a dozen fields,
 * and ten thousand idle connections each keep their request. Names such as `__proto__` are harmless, since they never
 * become keys of an object.
 */
export class HeaderList implements Iterable<readonly [name: string, value: string]> {
  readonly #text: string;
  readonly #start: number;

  /** From `start` to its end, `text` must consist of valid lines of the form `name ":" value CRLF`. */
  constructor(text: string, start = 0) {
    this.#text = text;
    this.#start = start;
  }

  /** The value of the field, several joined by ", " (RFC 9110 section 5.3); null if there is none. */
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

  /** The values of the field, one for each of its lines. */
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

  /** The number of lines with the field. */
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

  /** Yields the name, as sent, and the value of each line. */
  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (let line = this.#start; line < this.#text.length; line = this.#nextLine(line)) {
      const colon = this.#text.indexOf(":", line);
      yield [this.#text.slice(line, colon), this.#valueAt(colon + 1)];
    }
  }

  /** The fields as a new standard `Headers` object. */
  toHeaders(): Headers {
    const headers = new Headers();
    for (const [name, value] of this) headers.append(name, value);
    return headers;
  }

  /** The lines as on the wire. */
  toString(): string {
    return this.#text.slice(this.#start);
  }

  /** The first line with the field at or after `line`, or -1. */
  #find(name: string, line: number): number {
    // `name` contains no colon, so a colon right after it is the first of its line and ends the line's name.
    if (name.includes(":")) return -1;
    for (; line < this.#text.length; line = this.#nextLine(line)) {
      if (this.#text.charCodeAt(line + name.length) === COLON && this.#startsWith(name, line)) return line;
    }
    return -1;
  }

  /** Names are case-insensitive (RFC 9110 section 5.1). Compares in place, without allocating. */
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
/** The bit in which upper-case and lower-case ASCII letters differ. */
const CASE_BIT = 0x20;

function isLetterCode(code: number): boolean {
  const lowerCase = code | CASE_BIT;
  return lowerCase >= 0x61 && lowerCase <= 0x7a;
}
