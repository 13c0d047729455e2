// Notices the end of TCP connections that Node 20 no longer reads: it stops once nghttp2 has sent its own GOAWAY, after an
// invalid frame, and neither ends the session nor emits an event. Later versions end it.

import type { Http2Session } from "node:http2";
import { nodeModule } from "../../protocol/node-module.js";

const { clearInterval, setInterval } = nodeModule("node:timers");
const stopsReading = Number.parseInt(process.versions.node) < 22;
const watched = new WeakSet<Http2Session>();

/** Makes Node read the session's socket every few seconds, until the session has closed. */
export function keepReading(session: Http2Session): void {
  if (!stopsReading || watched.has(session)) return;
  watched.add(session);
  const timer = setInterval(() => {
    if (session.destroyed) return;
    // Undocumented. Without unsent bytes, because Node deliberately reads nothing from peers that do not read either.
    const { _handle: handle } = session.socket as { _handle?: ReadingHandle | null };
    if (handle?.writeQueueSize === 0) handle.readStart?.();
  }, INTERVAL).unref();
  session.once("close", () => clearInterval(timer));
}

interface ReadingHandle {
  readonly writeQueueSize?: number;
  readStart?(): void;
}

/** In milliseconds. */
const INTERVAL = 5000;
