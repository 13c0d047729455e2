// Validates the bytes of a head as they arrive.

import type { HeadFailure, HeadLimits } from "./head-failure.js";
import { isTokenCode } from "../../shared/token.js";

/**
 * Validates an HTTP/1.1 head (RFC 9112 sections 2 to 5) byte by byte, without storing the bytes. So it makes no difference
 * how the head is split into chunks, and an error is detected as soon as it arrives.
 *
 * It is strict where leniency has led two programs to read the same bytes as different heads (RFC 9112 section 11.2):
 * lines end with CRLF, never with a bare CR or LF; no space before the colon; no control characters. Only user agents
 * accept folded lines (RFC 9112 section 5.2: a server rejects them, a user agent replaces each fold with a space).
 */
export class HeadScanner {
  readonly #limits: HeadLimits;
  readonly #acceptsFolding: boolean;
  #hasFolds = false;
  #state: State = BEFORE_START_LINE;
  #isAfterCarriageReturn = false;
  #isLineEmpty = true;
  #position = 0;
  #startLine = 0;
  #fields = 0;
  #fieldCount = 0;
  #failure: HeadFailure | null = null;

  constructor(limits: HeadLimits, acceptsFolding: boolean) {
    this.#limits = limits;
    this.#acceptsFolding = acceptsFolding;
  }

  /** Scans until the head is complete or invalid. Returns how many bytes of `chunk` belong to the head. */
  scan(chunk: Uint8Array): number {
    const readable = Math.min(chunk.length, this.#limits.maxSize - this.#position);
    let consumed = 0;
    while (consumed < readable && this.#state !== AFTER_HEAD && this.#failure === null) {
      // `consumed` is below the length of the chunk.
      this.#take(chunk[consumed++]);
    }
    if (this.#position >= this.#limits.maxSize && this.#state !== AFTER_HEAD) this.#failTooLarge();
    return consumed;
  }

  get isComplete(): boolean {
    return this.#state === AFTER_HEAD;
  }

  get failure(): HeadFailure | null {
    return this.#failure;
  }

  /** Whether a header line continues the previous one. */
  get hasFolds(): boolean {
    return this.#hasFolds;
  }

  /** Offset of the start line from the first scanned byte. */
  get startLine(): number {
    return this.#startLine;
  }

  /** Offset of the first header field. */
  get fields(): number {
    return this.#fields;
  }

  #take(byte: number): void {
    this.#position++;
    if (this.#isAfterCarriageReturn) {
      if (byte === LINE_FEED) this.#endLine();
      else this.#failMalformed("a line feed after the carriage return", byte);
    } else if (byte === CARRIAGE_RETURN) {
      if (this.#state === IN_NAME && !this.#isLineEmpty)
        this.#failMalformed("a colon after the field name", byte);
      this.#isAfterCarriageReturn = true;
    } else if (this.#state === IN_NAME) {
      this.#takeNameByte(byte);
    } else if (isFieldByte(byte)) {
      if (this.#state === BEFORE_START_LINE) this.#beginStartLine(byte);
    } else {
      this.#failMalformed("no control character but the CRLF that ends a line", byte);
    }
  }

  #beginStartLine(byte: number): void {
    if (!isTokenCode(byte)) {
      this.#failMalformed("a start line of HTTP", byte);
      return;
    }
    this.#startLine = this.#position - 1;
    this.#state = IN_START_LINE;
  }

  #takeNameByte(byte: number): void {
    if (isTokenCode(byte)) {
      if (this.#isLineEmpty && ++this.#fieldCount > this.#limits.maxHeaders) {
        this.#failTooMany();
        return;
      }
      this.#isLineEmpty = false;
    } else if (byte === COLON && !this.#isLineEmpty) {
      this.#state = IN_VALUE;
    } else if (this.#acceptsFolding && this.#isLineEmpty && this.#fieldCount > 0 && isWhitespace(byte)) {
      this.#hasFolds = true;
      this.#state = IN_VALUE;
    } else {
      // This also rejects a space before the colon (RFC 9112 section 5.1) and, in requests, folded lines (section 5.2).
      this.#failMalformed("a token as the field name, then a colon", byte);
    }
  }

  #endLine(): void {
    this.#isAfterCarriageReturn = false;
    // RFC 9112 section 2.2: blank lines before the start line are ignored.
    if (this.#state === BEFORE_START_LINE) return;
    if (this.#state === IN_START_LINE) this.#fields = this.#position;
    this.#state = this.#state === IN_NAME ? AFTER_HEAD : IN_NAME;
    this.#isLineEmpty = true;
  }

  #failMalformed(expected: string, byte: number): void {
    const where = this.#state >= IN_NAME ? "in the header fields" : "in the start line";
    const got = `0x${byte.toString(16).padStart(2, "0")} at offset ${this.#position - 1} ${where}`;
    this.#failure ??= {
      outcome: "failed",
      status: 400,
      limit: null,
      reason: `Expected ${expected}, got byte ${got}.`,
    };
  }

  #failTooLarge(): void {
    const isInStartLine = this.#state < IN_NAME;
    const got = isInStartLine ? "a start line that is longer" : "header fields that are larger";
    this.#failure ??= {
      outcome: "failed",
      status: isInStartLine ? 414 : 431,
      limit: "maxSize",
      reason: `Expected a request or response head of at most ${this.#limits.maxSize} bytes, got ${got}.`,
    };
  }

  #failTooMany(): void {
    const reason = `Expected at most ${this.#limits.maxHeaders} header fields, got more.`;
    this.#failure = { outcome: "failed", status: 431, limit: "maxHeaders", reason };
  }
}

// In the order in which a head passes through them. They are numbers, because they are compared for each byte.
type State = number;
const BEFORE_START_LINE = 0;
const IN_START_LINE = 1;
const IN_NAME = 2;
const IN_VALUE = 3;
const AFTER_HEAD = 4;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;

function isWhitespace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}

/** Whether a field value may contain the byte: tab, space, visible ASCII or obs-text (RFC 9110 section 5.5). */
export function isFieldByte(byte: number): boolean {
  return (byte >= 0x20 && byte !== 0x7f && byte <= 0xff) || byte === 0x09;
}
