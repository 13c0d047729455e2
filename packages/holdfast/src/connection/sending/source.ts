// The source of a fragmented message: an iterable, or a stream. `send()` ends it in every case, since a file or a response
// may be open behind it.

import { quietly } from "../../shared/deferred.js";
import { invalidArgument } from "../../shared/option-checks.js";
import type { Bytes } from "../arguments.js";

/** The pieces of one message: all of them strings, or all of them bytes. */
export type Fragments = Iterable<string | Bytes> | AsyncIterable<string | Bytes>;

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

export interface Pieces {
  next(): unknown;
  return?(): unknown;
}

/** @throws InvalidArgumentError if it cannot be iterated */
export function piecesOf(source: Fragments): Pieces {
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

/**
 * Ends a source that is not read to its end: destroys or cancels a stream, or lets a generator run its `finally`. Errors
 * in it, and the time it takes, are ignored. Data of another kind stays as it is.
 *
 * @param pieces the iterator, if the iteration has begun
 */
export function endSource(source: unknown, pieces: unknown = source): void {
  if (!isFragments(source)) return;
  const end = async (): Promise<void> => {
    const { destroy } = source as { destroy?: () => unknown };
    const { return: leave, cancel } = pieces as { return?: () => unknown; cancel?: () => unknown };
    // A stream of Node that waits for data ends by `destroy()` alone: its iterator would wait, too.
    if (typeof destroy === "function") destroy.call(source);
    else await (leave ?? cancel)?.call(pieces);
  };
  void quietly(end());
}
