// A time limit beside Ctrl-C.

/**
 * A signal that aborts with `signal`, or after `limit` milliseconds; null for no limit. Its own controller is what keeps
 * the limit alive: Node.js 20 collects an `AbortSignal.timeout()` that only `AbortSignal.any()` refers to, as garbage.
 */
export function deadline(signal: AbortSignal, limit: number | null): AbortSignal {
  if (limit === null) return signal;
  const timeout = new AbortController();
  setTimeout(() => timeout.abort(), limit).unref();
  return AbortSignal.any([signal, timeout.signal]);
}
