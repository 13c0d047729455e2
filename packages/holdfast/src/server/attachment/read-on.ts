// Node's parser stops at the end of each request with an Upgrade, also where that is not followed, and drops what came
// behind it in the same chunk: whole requests, or the beginning of one, so that its rest is read as another. This reads on.

import type { IncomingMessage } from "node:http";

/** What Node's parsers have, undocumented but alike from Node 20 to 24. Where it is missing, Node's own way holds. */
export interface Parser {
  onIncoming?: ((request: IncomingMessage & { upgrade?: boolean }, keepAlive: boolean) => unknown) | null;
  readonly incoming?: { readonly upgrade?: boolean } | null;
  execute?: (chunk: Buffer) => unknown;
  getCurrentBuffer?: () => Buffer;
  [callback: number]: unknown;
}

export function parserOf(socket: object): Parser | null {
  return (socket as { readonly parser?: Parser | null }).parser ?? null;
}

/** Parsers that have read a request whose Upgrade is not followed, and may stop at its end. */
const stopping = new WeakSet<Parser>();
/** Functions of ours, and parsers, which Node uses again for other connections. */
const wrapped = new WeakSet();

/** Says of the request whose head the parser has just read whether its Upgrade is followed. */
export function noteUpgrade(parser: Parser, isFollowed: boolean): void {
  if (isFollowed) {
    stopping.delete(parser);
    return;
  }
  stopping.add(parser);
  watchParser(parser);
}

/** To be called while the parser has no chunk. */
export function watchParser(parser: Parser): void {
  const { kOnExecute } = parser.constructor as { kOnExecute?: unknown };
  const { execute, getCurrentBuffer } = parser;
  if (typeof kOnExecute !== "number" || execute === undefined || getCurrentBuffer === undefined) return;
  // Called with the chunks of a socket that emits "data".
  if (!wrapped.has(parser)) {
    wrapped.add(parser);
    parser.execute = (chunk) => readOn(parser, execute, chunk, execute.call(parser, chunk));
  }
  // Called back after chunks that the parser takes from the socket itself.
  const onExecute = parser[kOnExecute];
  if (!isCallback(onExecute) || wrapped.has(onExecute)) return;
  // Deno hands the chunk to the callback, Node has it at hand.
  const onExecuted = (consumed: unknown, given?: Buffer): void => {
    if (!stopping.has(parser) || typeof consumed !== "number") {
      onExecute(consumed, given);
      return;
    }
    const chunk = given ?? getCurrentBuffer.call(parser);
    const total = readOn(parser, execute, chunk, consumed);
    // The parser forgets the chunk where it reads on, and an upgrade in it needs what follows.
    parser.getCurrentBuffer = () => chunk;
    onExecute(total, given);
    delete parser.getCurrentBuffer;
  };
  wrapped.add(onExecuted);
  parser[kOnExecute] = onExecuted;
}

function isCallback(value: unknown): value is (consumed: unknown, chunk?: Buffer) => void {
  return typeof value === "function";
}

/** Returns how many bytes of the chunk are consumed, or an error of the parser. */
function readOn(
  parser: Parser,
  execute: (chunk: Buffer) => unknown,
  chunk: Buffer,
  consumed: unknown,
): unknown {
  let total = consumed;
  while (stopping.has(parser) && typeof total === "number" && total < chunk.length) {
    if (parser.incoming?.upgrade === true) break; // A CONNECT.
    stopping.delete(parser);
    const more = execute.call(parser, chunk.subarray(total));
    total = typeof more === "number" ? total + more : more;
  }
  return total;
}
