// The body of a refused upgrade, as far as it is worth keeping (RFC 9112 section 6).

import type { HeaderList } from "../protocol/handshake/header-list.js";

/** Enough for an error page or a JSON problem. */
const MAX_BODY = 64 * 1024;
/** Sizes of chunks and their lines come on top. */
const MAX_RAW = 2 * MAX_BODY;

export class RefusalBody {
  readonly #isChunked: boolean;
  readonly #length: number;
  #raw: Buffer = Buffer.alloc(0);

  constructor(headers: HeaderList) {
    this.#isChunked = headers.get("Transfer-Encoding")?.toLowerCase().endsWith("chunked") === true;
    const length = headers.get("Content-Length");
    this.#length = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : Infinity;
  }

  /** Takes bytes; returns whether the body is complete, or as long as it may get. */
  push(chunk: Uint8Array): boolean {
    this.#raw = Buffer.concat([this.#raw, chunk]).subarray(0, MAX_RAW);
    if (this.#raw.length === MAX_RAW) return true;
    if (this.#isChunked) return decodeChunked(this.#raw).isComplete;
    return this.#raw.length >= Math.min(this.#length, MAX_BODY);
  }

  /** What came of the body, at most 64 KiB. */
  get bytes(): Uint8Array {
    const body = this.#isChunked ? decodeChunked(this.#raw).body : this.#raw.subarray(0, this.#length);
    return new Uint8Array(body.subarray(0, MAX_BODY));
  }
}

/** RFC 9112 section 7.1: size in hexadecimal, CRLF, data, CRLF, …, a last chunk of size 0. */
function decodeChunked(raw: Buffer): { body: Buffer; isComplete: boolean } {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = raw.indexOf("\r\n", at);
    if (lineEnd < 0) return { body: Buffer.concat(parts), isComplete: false };
    const size = Number.parseInt(raw.toString("latin1", at, lineEnd), 16);
    if (!(size > 0)) return { body: Buffer.concat(parts), isComplete: true };
    const dataStart = lineEnd + 2;
    parts.push(raw.subarray(dataStart, dataStart + size));
    at = dataStart + size + 2;
    if (at > raw.length) return { body: Buffer.concat(parts), isComplete: false };
  }
}
