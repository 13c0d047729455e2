// Splits stdin into messages: by lines, or by bytes.

import { isUtf8 } from "node:buffer";
import { parseSize } from "../arguments/size.js";
import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";

/** A message, or the fragments of one that is sent while it is being read. */
export type Outgoing = string | Uint8Array | AsyncIterable<Uint8Array>;

export type Framing =
  | { readonly kind: "lines" }
  /** One binary message per read from the pipe. */
  | { readonly kind: "reads" }
  /** Binary messages of `size` bytes; the last one may be shorter. */
  | { readonly kind: "pieces"; readonly size: number }
  /** The whole input is one binary message. */
  | { readonly kind: "all" };

const MAX_BYTES = 1024 ** 3;
const LINE_FEED = 0x0a;

/** @throws UsageError */
export function framingFrom(given: Arguments): Framing {
  const text = given.text("binary");
  if (text === undefined) return { kind: "lines" };
  if (text === "") return { kind: "reads" };
  if (text === "all") return { kind: "all" };
  const size = parseSize(text, 1, MAX_BYTES);
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
    case "all":
      return all(input);
  }
}

/** A line of valid UTF-8 is a text message, any other a binary message. Only the line feed is removed. */
async function* lines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Outgoing> {
  let partial: Uint8Array[] = [];
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      yield lineMessage(Buffer.concat([...partial, chunk.subarray(start, end)]));
      partial = [];
      start = end + 1;
    }
    if (start < chunk.length) partial.push(chunk.subarray(start));
  }
  if (partial.length > 0) yield lineMessage(Buffer.concat(partial));
}

function lineMessage(line: Buffer): string | Uint8Array {
  return isUtf8(line) ? line.toString() : line;
}

async function* pieces(input: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let partial: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input) {
    let start = 0;
    while (length + chunk.length - start >= size) {
      const end = start + size - length;
      yield Buffer.concat([...partial, chunk.subarray(start, end)]);
      partial = [];
      length = 0;
      start = end;
    }
    partial.push(chunk.subarray(start));
    length += chunk.length - start;
  }
  if (length > 0) yield Buffer.concat(partial);
}

/** Yields nothing for an empty input. */
async function* all(input: AsyncIterable<Uint8Array>): AsyncGenerator<Outgoing> {
  const chunks = input[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  yield (async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  })();
}
