// Recognises an answer that is not HTTP by its first bytes: a server of another protocol often sends a banner, and then
// waits. To wait for a complete head would end in a timeout, whose message would blame the wrong thing.

import { Buffer } from "node:buffer";
import { quote } from "../shared/quote.js";

export class AnswerStart {
  #isDecided = false;
  /** The bytes received so far, without the blank lines that may precede an answer (RFC 9112 section 2.2). */
  #text = "";

  /** Examines the next bytes. Returns why the answer is not HTTP; null if it is, or may be. */
  push(chunk: Uint8Array): string | null {
    if (this.#isDecided) return null;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, MOST_BYTES));
    const text = (this.#text + bytes.toString("latin1")).replace(/^[\r\n]+/, "");
    this.#text = text;
    if (text.length < START.length && START.startsWith(text)) return null;
    this.#isDecided = true;
    return text.startsWith(START) ? null : `${EXPECTED}, got ${describe(text)}.`;
  }
}

const START = "HTTP/";
const EXPECTED = 'Expected a status line such as "HTTP/1.1 101 Switching Protocols"';
/** Enough for the first line of a banner. */
const MOST_BYTES = 256;

function describe(text: string): string {
  const [first, second, , fourth] = Buffer.from(text, "latin1");
  // RFC 8446 section 5.1: the type of a record (20 to 23), then 3, the first byte of the version.
  if (first >= 20 && first <= 23 && second === 3) return "TLS, which this port seems to expect";
  // RFC 9113 section 6.5: a server begins with SETTINGS: 24 bits of length, type 4.
  if (first === 0 && second === 0 && fourth === 4) return "HTTP/2, which this port seems to expect";
  return quote(/^[^\r\n]*/.exec(text)?.[0] ?? "");
}
