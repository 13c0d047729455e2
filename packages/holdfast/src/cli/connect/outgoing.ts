// The messages that a pipe brings: lines, or the bytes as they are.

import { isUtf8 } from "node:buffer";
import { parseSize } from "../arguments/size.js";
import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";

/** A message, or the pieces of one that is sent while it is still being read. */
export type Outgoing = string | Uint8Array | AsyncIterable<Uint8Array>;

export type Framing =
  | { readonly kind: "lines" }
  /** A binary message for each read from the pipe. */
  | { readonly kind: "reads" }
  /** Binary messages of so many bytes; the last one may be shorter. */
  | { readonly kind: "pieces"; readonly size: number }
  /** The whole input is one binary message. */
  | { readonly kind: "whole" };

const MOST_BYTES = 1024 ** 3;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** @throws UsageError */
export function framingFrom(given: Arguments): Framing {
  const text = given.text("binary");
  if (text === undefined) return { kind: "lines" };
  if (text === "") return { kind: "reads" };
  if (text === "all") return { kind: "whole" };
  const size = parseSize(text, 1, MOST_BYTES);
  if (size !== null) return { kind: "pieces", size };
  throw new UsageError(
    `Expected \`--binary\` to have no value, a number of bytes such as 4k, or "all", got "${text}".`,
  );
}

export function messagesOf(input: AsyncIterable<Uint8Array>, framing: Framing): AsyncIterable<Outgoing> {
  switch (framing.kind) {
    case "lines":
      return lines(input);
    case "reads":
      return input;
    case "pieces":
      return pieces(input, framing.size);
    case "whole":
      return whole(input);
  }
}

/** Text where a line is UTF-8; any other line is a binary message with exactly its bytes. */
async function* lines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Outgoing> {
  let begun: Uint8Array[] = [];
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      yield lineMessage(Buffer.concat([...begun, chunk.subarray(start, end)]));
      begun = [];
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
  }
  if (begun.length > 0) yield lineMessage(Buffer.concat(begun));
}

function lineMessage(line: Buffer): string | Uint8Array {
  if (!isUtf8(line)) return line;
  const hasReturn = line.at(-1) === CARRIAGE_RETURN;
  return line.toString("utf8", 0, line.length - (hasReturn ? 1 : 0));
}

async function* pieces(input: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input) {
    let start = 0;
    while (length + chunk.length - start >= size) {
      const end = start + size - length;
      yield Buffer.concat([...begun, chunk.subarray(start, end)]);
      begun = [];
      length = 0;
      start = end;
    }
    begun.push(chunk.subarray(start));
    length += chunk.length - start;
  }
  if (length > 0) yield Buffer.concat(begun);
}

/** No message for an empty input. */
async function* whole(input: AsyncIterable<Uint8Array>): AsyncGenerator<Outgoing> {
  const chunks = input[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  yield (async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  })();
}
