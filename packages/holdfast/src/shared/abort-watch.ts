// Who waits for the abort of a signal. Each signal gets one listener, however many calls share it: adding and removing
// a listener of an EventTarget takes longer the more there are, so 40,000 calls with one signal would take seconds.

const waiting = new WeakMap<AbortSignal, Watch>();

interface Watch {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

/** Calls `callback` once when the signal aborts. It must not throw. Does nothing for a signal that has aborted. */
export function watchAbort(signal: AbortSignal, callback: () => void): void {
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

/** The call has settled: a signal that lives long holds nothing of it. */
export function unwatchAbort(signal: AbortSignal, callback: () => void): void {
  const watch = waiting.get(signal);
  if (watch === undefined || !watch.callbacks.delete(callback) || watch.callbacks.size > 0) return;
  waiting.delete(signal);
  signal.removeEventListener("abort", watch.listener);
}
