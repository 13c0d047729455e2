// Reads the body of a rejected upgrade, up to a limit (RFC 9112 section 6). Each byte is examined once, even if a
// hostile server sends tiny chunks.

import type { HeaderList } from "../protocol/handshake/header-list.js";
import type { ResponseHead } from "../protocol/handshake/response-head.js";
import { MessageBuffer } from "../protocol/message/message-buffer.js";
import { asBuffer } from "../protocol/message/views.js";

/** Enough for an error page or a JSON problem. */
const MAX_BODY = 64 * 1024;
/** Limit including the size lines of chunks. */
const MAX_RAW = 2 * MAX_BODY;
/** Bytes to keep of a size line. The rest of the line is ignored. */
const MAX_SIZE_LINE = 32;
const LINE_FEED = 0x0a;

export class RejectionBody {
  readonly #isChunked: boolean;
  readonly #body = new MessageBuffer(MAX_BODY);
  /** Bytes left of the current chunk, or of the body if it is not chunked. */
  #remaining: number;
  #sizeLine = "";
  #rawLength = 0;
  #isComplete: boolean;

  constructor({ status, headers }: Pick<ResponseHead, "headers" | "status">) {
    this.#isChunked = headers.get("Transfer-Encoding")?.toLowerCase().endsWith("chunked") === true;
    this.#remaining = this.#isChunked ? 0 : contentLength(headers);
    this.#isComplete = (!this.#isChunked && this.#remaining === 0) || status < 200 || NO_BODY.has(status);
  }

  /** Adds bytes. Returns true once the body is complete or has reached its limit. */
  push(chunk: Uint8Array): boolean {
    const bytes = asBuffer(chunk);
    this.#rawLength += bytes.length;
    for (let at = 0; at < bytes.length && !this.#isComplete;) {
      at = this.#remaining > 0 ? this.#takeData(bytes, at) : this.#takeSize(bytes, at);
    }
    return this.#isComplete || this.#rawLength >= MAX_RAW;
  }

  /** Returns the body received so far, at most 64 KiB. */
  take(): Uint8Array {
    return new Uint8Array(this.#body.take());
  }

  #takeData(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#remaining);
    this.#body.append(bytes, at, Math.min(end, at + MAX_BODY - this.#body.length));
    this.#remaining -= end - at;
    if (this.#body.length === MAX_BODY || (!this.#isChunked && this.#remaining === 0))
      this.#isComplete = true;
    return end;
  }

  /** RFC 9112 section 7.1: size in hexadecimal, CRLF, data, CRLF, …, a last chunk of size 0. */
  #takeSize(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(LINE_FEED, at);
    const end = lineEnd < 0 ? bytes.length : lineEnd;
    const room = MAX_SIZE_LINE - this.#sizeLine.length;
    this.#sizeLine += bytes.toString("latin1", at, Math.min(end, at + room));
    if (lineEnd < 0) return end;
    const line = this.#sizeLine.trim();
    this.#sizeLine = "";
    if (line !== "") {
      const size = Number.parseInt(line, 16);
      if (size > 0) this.#remaining = size;
      else this.#isComplete = true;
    }
    return lineEnd + 1;
  }
}

/** RFC 9112 section 6.3: these end with their head, whatever it says. */
const NO_BODY: ReadonlySet<number> = new Set([204, 304]);

/**
 * Infinity without a length: the body then ends with the connection. A length may be repeated (RFC 9110 section 8.6).
 * If several differ, or one is invalid, the end of the body is unknown, so none is read (RFC 9112 section 6.3).
 */
function contentLength(headers: HeaderList): number {
  const given = headers.getAll("Content-Length").flatMap((field) => field.split(","));
  if (given.length === 0) return Infinity;
  const [length, ...others] = new Set(given.map((value) => value.trim()));
  return others.length === 0 && /^\d{1,15}$/.test(length) ? Number(length) : 0;
}
