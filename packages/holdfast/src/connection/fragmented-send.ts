// Sends an iterable as one message, a frame for each piece (RFC 6455 section 5.4).

import { InvalidArgumentError } from "../shared/errors.js";
import { toBytes, type Bytes } from "./arguments.js";
import { describe } from "../shared/option-checks.js";
import type { Fragment } from "./message-transport.js";

/** The pieces of one message: all of them strings, or all of them bytes. */
export type Fragments = Iterable<string | Bytes> | AsyncIterable<string | Bytes>;

/** What sending fragments needs of its connection. */
export interface FragmentHandler {
  /** Sends one fragment; resolves when there is room for the next. Rejects once the connection is closing. */
  sendFragment(fragment: Fragment): Promise<void>;
  /** Settles as the value does; rejects when the connection ends, or when the caller aborts. */
  wait<Value>(value: Value | PromiseLike<Value>): Promise<Value>;
  /** A message was begun that will never be complete: nothing can follow it. */
  failMessage(error: unknown): void;
}

const encoder = new TextEncoder();

/**
 * Sends the pieces as they come. Each is sent once the next is there, so that the last one can say that it is: a
 * message of one piece is one frame, and of none is no message at all.
 *
 * What goes wrong before the first frame leaves the connection as it was; what goes wrong later ends it.
 */
export async function sendFragments(source: Fragments, sink: FragmentHandler): Promise<void> {
  const iterator = iteratorOf(source);
  let held: Piece | null = null;
  let sent = 0;
  const sendHeld = (piece: Piece, isLast: boolean): Promise<void> =>
    sink.sendFragment({ ...piece, isFirst: sent++ === 0, isLast });
  try {
    for (;;) {
      const next = await sink.wait(iterator.next());
      if (next.done === true) break;
      const piece = checkPiece(next.value);
      if (held !== null && piece.type !== held.type) throw mixedTypes(held.type, next.value);
      if (held !== null) await sink.wait(sendHeld(held, false));
      held = piece;
    }
    if (held !== null) await sink.wait(sendHeld(held, true));
  } catch (error) {
    leave(iterator);
    if (sent > 0) sink.failMessage(error);
    throw error;
  }
}

/** Whether a value can be sent piece by piece. */
export function isFragments(data: unknown): data is Fragments {
  // A view whose memory was transferred away is no bytes any more, and throws when it is iterated.
  if (typeof data !== "object" || data === null || ArrayBuffer.isView(data)) return false;
  try {
    return Symbol.asyncIterator in data || Symbol.iterator in data;
  } catch {
    return false; // A revoked Proxy.
  }
}

function iteratorOf(source: Fragments): AsyncIterator<unknown> | Iterator<unknown> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

type Piece = Pick<Fragment, "payload" | "type">;

function checkPiece(piece: unknown): Piece {
  if (typeof piece === "string") return { type: "text", payload: encoder.encode(piece) };
  const bytes = toBytes(piece);
  if (bytes === null)
    throw new InvalidArgumentError(`Expected each fragment to be a string or bytes, got ${describe(piece)}`);
  // A copy: a generator may fill the same buffer again for the next piece, which is asked for first.
  return { type: "binary", payload: new Uint8Array(bytes) };
}

function mixedTypes(type: Piece["type"], piece: unknown): InvalidArgumentError {
  const what = type === "text" ? "a string" : "bytes";
  return new InvalidArgumentError(
    `Expected each fragment to be ${what}, as the first one was, got ${describe(piece)}`,
  );
}

/** Lets a generator run its `finally`; what that throws, or how long it takes, changes nothing here. */
function leave(iterator: AsyncIterator<unknown> | Iterator<unknown>): void {
  void (async () => iterator.return?.())().catch(() => undefined);
}
