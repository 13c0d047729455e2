// Watches signals for an abort, with one listener for each signal however many calls share it. Adding and removing a
// listener of an EventTarget takes longer the more it has, so 40,000 calls with one signal would take seconds.

const waiting = new WeakMap<AbortSignal, Watch>();

interface Watch {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

/**
 * Calls `callback` once when the signal aborts; it must not throw. Does nothing without a signal, or if it has already
 * aborted.
 */
export function watchAbort(signal: AbortSignal | null, callback: () => void): void {
  if (signal === null) return;
  let watch = waiting.get(signal);
  if (watch === undefined) {
    const callbacks = new Set<() => void>();
    const listener = (): void => {
      for (const each of callbacks) each();
      waiting.delete(signal);
    };
    watch = { callbacks, listener };
    waiting.set(signal, watch);
    signal.addEventListener("abort", listener, { once: true });
  }
  watch.callbacks.add(callback);
}

/** Stops watching once a call has settled, so that a long-lived signal does not keep it in memory. */
export function unwatchAbort(signal: AbortSignal | null, callback: () => void): void {
  if (signal === null) return;
  const watch = waiting.get(signal);
  if (watch === undefined || !watch.callbacks.delete(callback) || watch.callbacks.size > 0) return;
  waiting.delete(signal);
  signal.removeEventListener("abort", watch.listener);
}
