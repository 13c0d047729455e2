// Works around Node's HTTP parser. It stops at the end of each request with an Upgrade, even if the server does not
// upgrade, and drops the rest of the chunk: whole requests, or the beginning of one, whose remainder it then parses as
// a new request. This file resumes the parser with the rest of the chunk.

import type { IncomingMessage } from "node:http";

/**
 * Undocumented properties of Node's parsers, equal from Node 20 to 24. If they are missing, Node's own behaviour
 * remains.
 */
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

/** Parsers that read a request whose Upgrade the server ignores, and may stop at its end. */
const stopping = new WeakSet<Parser>();
/** The wrapper functions, and the wrapped parsers: Node reuses parsers for other connections. */
const wrapped = new WeakSet();

/** Records whether the server upgrades the request whose head the parser has just read. */
export function recordUpgrade(parser: Parser, isFollowed: boolean): void {
  if (isFollowed) {
    stopping.delete(parser);
    return;
  }
  stopping.add(parser);
  watchParser(parser);
}

/** Call this while the parser holds no chunk. */
export function watchParser(parser: Parser): void {
  const { kOnExecute } = parser.constructor as { kOnExecute?: unknown };
  const { execute, getCurrentBuffer } = parser;
  if (typeof kOnExecute !== "number" || execute === undefined || getCurrentBuffer === undefined) return;
  // Node calls `execute` with the chunks of a socket that emits "data".
  if (!wrapped.has(parser)) {
    wrapped.add(parser);
    parser.execute = (chunk) => resume(parser, execute, chunk, execute.call(parser, chunk));
  }
  // Node calls `kOnExecute` after chunks that the parser reads from the socket itself.
  const onExecute = parser[kOnExecute];
  if (!isCallback(onExecute) || wrapped.has(onExecute)) return;
  // Deno passes the chunk to the callback; in Node, the parser has it.
  const onExecuted = (consumed: unknown, given?: Buffer): void => {
    if (!stopping.has(parser) || typeof consumed !== "number") {
      onExecute(consumed, given);
      return;
    }
    const chunk = given ?? getCurrentBuffer.call(parser);
    const total = resume(parser, execute, chunk, consumed);
    // The parser releases the chunk when it resumes, but an upgrade in the chunk needs the bytes after it.
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

/** Returns the number of bytes consumed from the chunk, or an error of the parser. */
function resume(
  parser: Parser,
  execute: (chunk: Buffer) => unknown,
  chunk: Buffer,
  consumed: unknown,
): unknown {
  let total = consumed;
  while (stopping.has(parser) && typeof total === "number" && total < chunk.length) {
    if (parser.incoming?.upgrade === true) break; // This is a CONNECT.
    stopping.delete(parser);
    const more = execute.call(parser, chunk.subarray(total));
    total = typeof more === "number" ? total + more : more;
  }
  return total;
}
