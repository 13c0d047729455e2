// Sends an iterable as one message, a frame for each piece (RFC 6455 section 5.4).

import { quietly } from "../../shared/deferred.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import { toBytes, type Bytes } from "../arguments.js";
import type { ConnectionSender } from "./connection-sender.js";
import type { Interruption } from "../interruption.js";
import { describe, invalidArgument } from "../../shared/option-checks.js";
import type { Fragment } from "../message-transport.js";

/** The pieces of one message: all of them strings, or all of them bytes. */
export type Fragments = Iterable<string | Bytes> | AsyncIterable<string | Bytes>;

const encoder = new TextEncoder();

/**
 * Sends the pieces as they arrive. Each piece waits for the next one, because the last frame carries the FIN bit. A
 * message of one piece is one frame; a message without pieces is not sent.
 *
 * An error before the first frame changes nothing; a later one ends the connection.
 */
export async function sendFragments(
  source: Fragments,
  connection: ConnectionSender,
  waiting: Interruption,
): Promise<void> {
  const iterator = iteratorOf(source);
  let held: Piece | null = null;
  let sent = 0;
  const sendHeld = (piece: Piece, isLast: boolean): Promise<void> => {
    const fragment = { ...piece, isFirst: sent++ === 0, isLast };
    return connection.takesMessages ? connection.sendFragment(fragment) : connection.rejectWhenEnded(null);
  };
  try {
    for (;;) {
      const next = checkResult(await waiting.wait(iterator.next()));
      if (next.done === true) break;
      const piece = checkPiece(next.value);
      if (held !== null && piece.type !== held.type) throw mixedTypes(held.type, next.value);
      if (held !== null) await waiting.wait(sendHeld(held, false));
      held = piece;
    }
    if (held !== null) await waiting.wait(sendHeld(held, true));
  } catch (error) {
    closeIterator(iterator);
    if (sent > 0) connection.breakOff(errorOf(error));
    throw error;
  }
}

/** Whether a value can be sent piece by piece. */
export function isFragments(data: unknown): data is Fragments {
  // A view whose memory was transferred has no bytes, and throws when iterated.
  if (typeof data !== "object" || data === null || ArrayBuffer.isView(data)) return false;
  try {
    return Symbol.asyncIterator in data || Symbol.iterator in data;
  } catch {
    return false; // A revoked Proxy.
  }
}

/** @throws InvalidArgumentError if it cannot be iterated */
function iteratorOf(source: Fragments): AsyncIterator<unknown> | Iterator<unknown> {
  const methods: { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown } = source;
  const begin = methods[Symbol.asyncIterator] ?? methods[Symbol.iterator];
  const iterator: unknown = typeof begin === "function" ? begin.call(source) : null;
  if (typeof (Object(iterator) as { next?: unknown }).next === "function")
    return iterator as Iterator<unknown>;
  throw invalidArgument("data", "a string, bytes, or an iterable of them", source);
}

function checkResult(result: unknown): IteratorResult<unknown> {
  if (Object(result) === result) return result as IteratorResult<unknown>;
  throw new InvalidArgumentError(
    `Expected next() of the iterator to give an object with a value, got ${describe(result)}.`,
  );
}

type Piece = Pick<Fragment, "payload" | "type">;

function checkPiece(piece: unknown): Piece {
  if (typeof piece === "string") return { type: "text", payload: encoder.encode(piece) };
  const bytes = toBytes(piece);
  if (bytes === null)
    throw new InvalidArgumentError(`Expected each fragment to be a string or bytes, got ${describe(piece)}.`);
  // Copy the bytes: a generator may reuse its buffer for the next piece, which is requested before this one is sent.
  return { type: "binary", payload: new Uint8Array(bytes) };
}

function mixedTypes(type: Piece["type"], piece: unknown): InvalidArgumentError {
  const what = type === "text" ? "a string" : "bytes";
  return new InvalidArgumentError(
    `Expected each fragment to be ${what}, as the first one was, got ${describe(piece)}.`,
  );
}

/** Lets a generator run its `finally`. Errors in it, and the time it takes, are ignored. */
function closeIterator(iterator: AsyncIterator<unknown> | Iterator<unknown>): void {
  void quietly((async () => iterator.return?.())());
}
