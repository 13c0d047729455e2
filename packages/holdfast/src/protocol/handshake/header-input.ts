// Headers that the application adds. They are checked before any I/O: a line break in a header would let its author forge
// the rest of the request (B5).

import { InvalidHeaderError } from "../../shared/errors.js";
import { isFieldByte } from "./head-scanner.js";
import { HeaderList } from "./header-list.js";
import { quote } from "../../shared/quote.js";
import { isToken, trimWhitespace } from "../../shared/token.js";

/**
 * Headers in any common form. If a value is a list, each element becomes its own line, except for Cookie, whose elements
 * are joined into one line.
 */
export type HeadersInput =
  | Headers
  | Readonly<Record<string, string | readonly string[]>>
  | Iterable<readonly [name: string, value: string]>;

/** A field that is safe to send. */
export type HeaderField = readonly [name: string, value: string];

/**
 * Checks the fields and returns them in order.
 *
 * @throws {InvalidHeaderError} if a name is not a token, or a value is not ISO 8859-1 text without control characters
 */
export function readHeaders(input: HeadersInput): readonly HeaderField[] {
  const fields: HeaderField[] = [];
  for (const entry of entriesOf(input)) {
    if (!Array.isArray(entry) || entry.length !== 2) {
      throw new InvalidHeaderError(
        `Expected each header to be a pair of a name and a value, got ${typeof entry}.`,
        "",
      );
    }
    const [name, value] = entry as readonly unknown[];
    checkName(name);
    // `Array.isArray` leaves `any` as the elements.
    for (const line of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      fields.push([name, checkedValue(name, line)]);
    }
  }
  return withOneCookie(fields);
}

/** RFC 6265 section 5.4: a request has at most one header Cookie, with "; " between the cookies. */
function withOneCookie(fields: readonly HeaderField[]): readonly HeaderField[] {
  const cookies = fields.filter(isCookie);
  if (cookies.length < 2) return fields;
  const joined = cookies
    .map(([, value]) => value)
    .filter((value) => value !== "")
    .join("; ");
  return fields.flatMap((field): HeaderField[] => {
    if (!isCookie(field)) return [field];
    return field === cookies[0] ? [[field[0], joined]] : [];
  });
}

function isCookie([name]: HeaderField): boolean {
  return name.toLowerCase() === "cookie";
}

/**
 * Checks a value and removes leading and trailing spaces and tabs. Errors never show the value, which may be a secret.
 *
 * @throws {InvalidHeaderError} if `value` is not ISO 8859-1 text without control characters
 */
export function checkedValue(name: string, value: unknown): string {
  if (typeof value !== "string") {
    throw new InvalidHeaderError(
      `Expected the value of header ${quote(name)} to be a string, got ${typeof value}.`,
      name,
    );
  }
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (isFieldByte(code)) continue;
    const got = `U+${code.toString(16).toUpperCase().padStart(4, "0")} at index ${index}`;
    throw new InvalidHeaderError(
      `Expected the value of header ${quote(name)} to hold ISO 8859-1 without control characters, got ${got}.`,
      name,
    );
  }
  return trimWhitespace(value, 0, value.length);
}

/**
 * Rejects fields that the handshake itself sets, and those that determine where a message ends.
 *
 * @throws {InvalidHeaderError}
 */
export function refuseReserved(fields: readonly HeaderField[]): void {
  for (const [name] of fields) {
    const lowerCase = name.toLowerCase();
    if (!RESERVED.has(lowerCase) && !lowerCase.startsWith("sec-websocket-")) continue;
    throw new InvalidHeaderError(
      `Expected headers that the handshake does not set itself, got ${quote(name)}.`,
      name,
    );
  }
}

/** Formats the fields as the lines of a head. */
export function headerList(fields: readonly HeaderField[]): HeaderList {
  return new HeaderList(fields.map(([name, value]) => `${name}: ${value}\r\n`).join(""));
}

function entriesOf(input: HeadersInput): Iterable<unknown> {
  // For callers without types: a string is iterable too.
  if (typeof input !== "object" || (input as unknown) === null) {
    throw new InvalidHeaderError(
      `Expected \`headers\` to be Headers, an object or pairs, got ${typeof input}.`,
      "",
    );
  }
  if (typeof (input as { readonly then?: unknown }).then === "function" || Symbol.asyncIterator in input) {
    throw new InvalidHeaderError(
      "Expected `headers` to be Headers, an object or pairs, got a promise or an async iterable. Await it first, or pass a function.",
      "",
    );
  }
  return Symbol.iterator in input ? (input as Iterable<unknown>) : Object.entries(input);
}

function checkName(name: unknown): asserts name is string {
  if (typeof name === "string" && isToken(name)) return;
  const got = typeof name === "string" ? quote(name) : typeof name;
  throw new InvalidHeaderError(
    `Expected the name of a header to be a token (RFC 9110 section 5.1), got ${got}.`,
    typeof name === "string" ? name : "",
  );
}

const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
