// `toWebStreams()`: a connection as a pair of streams of the standard (https://streams.spec.whatwg.org).

import type { Bytes } from "../connection/arguments.js";
import { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { ConnectionClosedOK, type ConnectionClosed } from "../connection/errors.js";
import type { Message } from "../connection/reading/inbox.js";
import { invalidArgument } from "../shared/option-checks.js";

/** A connection as streams: one chunk for each message. */
export interface WebStreams {
  readonly readable: ReadableStream<Message>;
  readonly writable: WritableStream<Bytes | string>;
}

/**
 * Returns a stream of the messages that the connection receives, and one that sends each chunk as a message. Read the
 * connection in no other way; it may still `send()`.
 *
 * Backpressure: a message is taken from the connection only when the reader requests one (`maxQueue` bounds what waits
 * there), and `writer.ready` waits while `writeLimit` or more bytes are unsent.
 *
 * Ends: WebSockets have no half-close. `writer.close()` closes the connection with 1000 after all messages, and resolves
 * when it has ended; `writer.abort()` closes it with 1011, so that the peer does not take half of the data for all of
 * it; cancelling `readable` closes it with 1000. If the connection ends well (`CloseInfo.ok`), `readable` closes after
 * the last message, and writing fails with ConnectionClosedOK. Otherwise both fail with ConnectionClosedError, `readable`
 * after the messages that were received.
 *
 * @throws InvalidArgumentError
 */
export function toWebStreams(connection: Connection): WebStreams {
  if (!(connection instanceof Connection)) throw invalidArgument("connection", "a Connection", connection);
  return { readable: readableOf(connection), writable: writableOf(connection) };
}

function readableOf(connection: Connection): ReadableStream<Message> {
  const cancelled = new AbortController();
  coreOf(connection).inbox.addUser();
  return new ReadableStream<Message>(
    {
      async pull(controller) {
        try {
          controller.enqueue(await connection.recv({ signal: cancelled.signal }));
        } catch (error) {
          if (cancelled.signal.aborted) return;
          if (error instanceof ConnectionClosedOK) controller.close();
          else throw error;
        }
      },
      async cancel() {
        cancelled.abort();
        await connection.close();
      },
    },
    { highWaterMark: 0 }, // Messages wait in the connection, where `maxQueue` bounds them.
  );
}

function writableOf(connection: Connection): WritableStream<Bytes | string> {
  return new WritableStream<Bytes | string>({
    start(controller) {
      const { signal } = connection;
      const fail = (): void => controller.error(signal.reason);
      // After a good end, an echo (`readable.pipeTo(writable)`) has still to close the writer, which succeeds.
      const onEnd = (): void =>
        signal.reason instanceof ConnectionClosedOK
          ? coreOf(connection).runtime.clock.afterPoll(fail)
          : fail();
      if (signal.aborted) onEnd();
      else signal.addEventListener("abort", onEnd, { once: true });
    },
    write: (chunk) => connection.send(chunk),
    async close() {
      const { ok } = await connection.close();
      if (!ok) throw connection.signal.reason as ConnectionClosed;
    },
    async abort() {
      await connection.close(1011);
    },
  });
}
