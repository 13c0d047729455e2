// Notices the end of TCP connections that Node 20 no longer reads: it stops once nghttp2 has sent its own GOAWAY, after an
// invalid frame, and neither ends the session nor emits an event. Later versions end it.

import type { Http2Session } from "node:http2";

const stopsReading = Number.parseInt(process.versions.node) < 22;
const watched = new WeakSet<Http2Session>();

/** Makes Node read the session's socket every few seconds, until the session has closed. */
export function keepReading(session: Http2Session): void {
  if (!stopsReading || watched.has(session)) return;
  watched.add(session);
  const timer = setInterval(() => {
    if (session.destroyed) return;
    // Undocumented. Not with unsent bytes: Node deliberately reads nothing from peers that do not read either.
    const { _handle } = session.socket as { _handle?: ReadingHandle | null };
    if (_handle?.writeQueueSize === 0) _handle.readStart();
  }, 5000).unref();
  session.once("close", () => clearInterval(timer));
}

interface ReadingHandle {
  readonly writeQueueSize?: number;
  readStart(): void;
}
