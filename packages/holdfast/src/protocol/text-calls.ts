// Text into bytes and back, by the calls of Node that `buf.write()` and `buf.toString()` end in. What those add, finding
// the encoding by its name and checking the range, is a fifth of the cost of a text of 64 bytes (measured on Node 20).
// Node does not document its calls, so they are tried before they are trusted: where they are missing, or do something
// else, the documented ones do the work.

/** The calls that holdfast makes. Ranges must be within the bytes. */
export interface TextCalls {
  /** Writes UTF-8 at `at`, with U+FFFD for lone surrogates; returns how many bytes it took. There must be room. */
  readonly writeUtf8: (target: Buffer, text: string, at: number) => number;
  /** Writes each character as one byte. There must be room. */
  readonly writeLatin1: (target: Buffer, text: string, at: number) => number;
  /** Decodes UTF-8, with U+FFFD for what is not. */
  readonly readUtf8: (bytes: Buffer, start: number, end: number) => string;
  /** Makes each byte one character. */
  readonly readLatin1: (bytes: Buffer, start: number, end: number) => string;
}

/** What Node puts on the prototype of its buffers. */
export interface UndocumentedCalls {
  readonly utf8Write?: ((this: Buffer, text: string, at: number, room: number) => number) | undefined;
  readonly latin1Write?: ((this: Buffer, text: string, at: number, room: number) => number) | undefined;
  readonly utf8Slice?: ((this: Buffer, start: number, end: number) => string) | undefined;
  readonly latin1Slice?: ((this: Buffer, start: number, end: number) => string) | undefined;
}

export const documentedCalls: TextCalls = {
  writeUtf8: (target, text, at) => target.write(text, at, "utf8"),
  writeLatin1: (target, text, at) => target.write(text, at, "latin1"),
  readUtf8: (bytes, start, end) => bytes.toString("utf8", start, end),
  readLatin1: (bytes, start, end) => bytes.toString("latin1", start, end),
};

/** The calls on `prototype`, or, unless all of them are there and do as expected, the documented ones. */
export function textCallsOf({
  utf8Write,
  latin1Write,
  utf8Slice,
  latin1Slice,
}: UndocumentedCalls): TextCalls {
  if (!utf8Write || !latin1Write || !utf8Slice || !latin1Slice) return documentedCalls;
  const calls: TextCalls = {
    writeUtf8: (target, text, at) => utf8Write.call(target, text, at, target.length - at),
    writeLatin1: (target, text, at) => latin1Write.call(target, text, at, target.length - at),
    readUtf8: (bytes, start, end) => utf8Slice.call(bytes, start, end),
    readLatin1: (bytes, start, end) => latin1Slice.call(bytes, start, end),
  };
  return doTheSame(calls, documentedCalls) ? calls : documentedCalls;
}

function doTheSame(calls: TextCalls, expected: TextCalls): boolean {
  const text = "aé€😀\ud800z";
  try {
    return trial(calls, text) === trial(expected, text);
  } catch {
    return false;
  }
}

function trial({ writeUtf8, writeLatin1, readUtf8, readLatin1 }: TextCalls, text: string): string {
  const bytes = Buffer.alloc(32);
  const counts = [writeUtf8(bytes, text, 1), writeLatin1(bytes, "é", 31)];
  return [...counts, readUtf8(bytes, 2, 20), readUtf8(bytes, 29, 32), readLatin1(bytes, 0, 32)].join();
}

export const { writeUtf8, writeLatin1, readUtf8, readLatin1 } = textCallsOf(
  Buffer.prototype as UndocumentedCalls,
);
