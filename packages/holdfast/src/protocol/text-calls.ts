// Converts text to bytes and back with the undocumented methods that Node's `buf.write()` and `buf.toString()` call. The
// documented ones also look up the encoding by name and check the range, a fifth of the cost for a text of 64 bytes
// (measured on Node 20). The undocumented methods are tested first. If one is missing or behaves differently, the
// documented ones are used.

/** The conversions that holdfast needs. Ranges must lie within the bytes. */
export interface TextCalls {
  /** Writes UTF-8 at `at`, with U+FFFD for lone surrogates; returns the number of bytes. `target` must have room. */
  readonly writeUtf8: (target: Buffer, text: string, at: number) => number;
  /** Writes each character as one byte. `target` must have room. */
  readonly writeLatin1: (target: Buffer, text: string, at: number) => number;
  /** Decodes UTF-8, with U+FFFD for invalid bytes. */
  readonly readUtf8: (bytes: Buffer, start: number, end: number) => string;
  /** Decodes each byte as one character. */
  readonly readLatin1: (bytes: Buffer, start: number, end: number) => string;
}

/** Methods that Node has on the prototype of Buffer. */
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

/** Uses the undocumented methods if all of them exist and work as expected; otherwise the documented ones. */
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
  return behaveAlike(calls, documentedCalls) ? calls : documentedCalls;
}

function behaveAlike(calls: TextCalls, expected: TextCalls): boolean {
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
