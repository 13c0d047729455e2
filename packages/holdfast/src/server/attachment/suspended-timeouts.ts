// Suspends the time-out of an HTTP/2 connection while it carries WebSockets. Over HTTP/1.1, an upgrade does the same.

import type { Http2Session, ServerHttp2Stream } from "node:http2";

/** The type definitions lack the property. */
type TimedSession = Http2Session & { readonly timeout?: number | undefined };

interface Suspended {
  streams: number;
  /** In milliseconds. */
  readonly timeout: number;
}

const suspended = new WeakMap<TimedSession, Suspended>();

/** Suspends the time-out of the stream's connection until the last such stream has closed. */
export function suspendTimeout(stream: ServerHttp2Stream): void {
  const session: TimedSession | undefined = stream.session;
  if (session === undefined || stream.destroyed) return;
  const state = suspended.get(session) ?? { streams: 0, timeout: session.timeout ?? 0 };
  suspended.set(session, state);
  state.streams++;
  session.setTimeout(0);
  stream.once("close", () => {
    if (--state.streams > 0) return;
    suspended.delete(session);
    if (!session.destroyed) session.setTimeout(state.timeout);
  });
}
