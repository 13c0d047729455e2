// The source of a fragmented message: an iterable, or a stream. `send()` ends it in every case, since it may hold a file
// or a response open.

import { quietly } from "../../shared/deferred.js";
import type { Bytes } from "../arguments.js";

/** The pieces of one message: all of them strings, or all of them bytes. */
export type Fragments = Iterable<string | Bytes> | AsyncIterable<string | Bytes>;

/** The functions that end a stream of Node, an iterator, or a stream of the standard. */
interface Endable {
  destroy?(): unknown;
  return?(): unknown;
  cancel?(): unknown;
}

/**
 * Ends a source that is not read to its end: destroys or cancels a stream, or lets a generator run its `finally`. Errors
 * in it, and the time it takes, are ignored. Data of another kind stays as it is.
 *
 * @param pieces the iterator, if the iteration has begun
 */
export function endSource(source: unknown, pieces = source): void {
  const whole = source as Endable;
  const begun = pieces as Endable;
  const end = async (): Promise<void> => {
    if (Symbol.asyncIterator in whole || Symbol.iterator in whole)
      // A stream of Node that waits for data ends by `destroy()` alone: its iterator would wait, too.
      await (whole.destroy?.() ?? begun.return?.() ?? begun.cancel?.());
  };
  void quietly(end());
}
