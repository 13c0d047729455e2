// Sends an iterable as one message, a frame for each piece (RFC 6455 section 5.4).

import { InvalidArgumentError } from "../../shared/errors.js";
import { describe, invalidArgument } from "../../shared/option-checks.js";
import { errorOf } from "../../shared/thrown.js";
import { toBytes } from "../arguments.js";
import type { Interruption } from "../interruption.js";
import type { Fragment } from "../message-transport.js";
import type { ConnectionSender } from "./connection-sender.js";
import { endSource, type Fragments } from "./source.js";

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
  let pieces: Pieces | undefined;
  let held: Piece | null = null;
  let sent = 0;
  let isWhole = false as boolean; // `sendHeld` sets it.
  const untilFragments = (begins: boolean): Promise<void> | null =>
    connection.transport.untilFragments?.(begins) ?? null;
  const sendHeld = async (piece: Piece, isLast: boolean): Promise<void> => {
    while (sent === 0) {
      const ready = untilFragments(true);
      if (ready === null) break;
      await waiting.wait(ready);
    }
    waiting.check(); // The session may have lost the socket, and have another one already.
    const fragment = { ...encoded(piece), isFirst: sent++ === 0, isLast };
    isWhole = isLast && connection.takesMessages; // From then on, an abort only ends the wait for the socket.
    await waiting.wait(
      connection.takesMessages ? connection.sendFragment(fragment) : connection.rejectWhenEnded(null),
    );
  };
  try {
    const ready = untilFragments(false); // Where it cannot be sent, a slow source must not keep other messages.
    if (ready !== null) await waiting.wait(ready);
    pieces = piecesOf(source);
    for (;;) {
      const next = checkResult(await waiting.wait(pieces.next()));
      if (next.done === true) break;
      let piece = checkPiece(next.value);
      if (held !== null && typeof piece !== typeof held) throw mixedTypes(held, next.value);
      if (typeof held === "string" && endsAmidPair(held)) {
        piece = held.slice(-1) + String(piece);
        held = held.slice(0, -1);
      }
      if (held !== null) await sendHeld(held, false);
      held = piece;
    }
    if (held !== null) await sendHeld(held, true);
  } catch (error) {
    endSource(source, pieces);
    if (sent > 0 && !isWhole) connection.breakOff(errorOf(error));
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

interface Pieces {
  next(): unknown;
  return?(): unknown;
}

/** @throws InvalidArgumentError if it cannot be iterated */
function piecesOf(source: Fragments): Pieces {
  // The iterator of such a stream cannot cancel it while a read waits.
  if ("getReader" in source) {
    const reader = (source as ReadableStream).getReader();
    return { next: () => reader.read(), return: () => reader.cancel() };
  }
  const methods: { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown } = source;
  const begin = methods[Symbol.asyncIterator] ?? methods[Symbol.iterator];
  const iterator: unknown = typeof begin === "function" ? begin.call(source) : null;
  if (typeof (Object(iterator) as { next?: unknown }).next === "function") return iterator as Pieces;
  throw invalidArgument("data", "a string, bytes, or an iterable of them", source);
}

function checkResult(result: unknown): IteratorResult<unknown> {
  if (Object(result) === result) return result as IteratorResult<unknown>;
  throw new InvalidArgumentError(
    `Expected next() of the iterator to give an object with a value, got ${describe(result)}.`,
  );
}

type Piece = Uint8Array | string;

function checkPiece(piece: unknown): Piece {
  if (typeof piece === "string") return piece;
  const bytes = toBytes(piece);
  if (bytes === null)
    throw new InvalidArgumentError(`Expected each fragment to be a string or bytes, got ${describe(piece)}.`);
  // Copy the bytes: a generator may reuse its buffer for the next piece, which is requested before this one is sent.
  return new Uint8Array(bytes);
}

function mixedTypes(first: Piece, piece: unknown): InvalidArgumentError {
  const what = typeof first === "string" ? "a string" : "bytes";
  return new InvalidArgumentError(
    `Expected each fragment to be ${what}, as the first one was, got ${describe(piece)}.`,
  );
}

/** Whether the first half of a surrogate pair is the last: its other half may begin the next piece. */
function endsAmidPair(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
}

function encoded(piece: Piece): Pick<Fragment, "payload" | "type"> {
  return typeof piece === "string"
    ? { type: "text", payload: encoder.encode(piece) }
    : { type: "binary", payload: piece };
}
