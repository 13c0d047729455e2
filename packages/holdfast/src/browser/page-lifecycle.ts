// Detects when a page returns from being hidden, frozen, asleep or offline. Connections are then checked immediately,
// instead of at the next tick of a timer that the browser may have throttled.

type Callback = () => void;

const callbacks = new Set<Callback>();
let stopListening: Callback | null = null;

/** Calls back when the page returns or the network may have returned. Returns an unsubscribe function. */
export function watchReturns(callback: Callback): Callback {
  callbacks.add(callback);
  stopListening ??= listen();
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0) return;
    stopListening?.();
    stopListening = null;
  };
}

/** Whether the page is visible; null if there is none, as in a worker. */
export function isPageVisible(): boolean | null {
  return typeof document === "undefined" ? null : document.visibilityState === "visible";
}

/** Calls back when the page is shown or hidden. Returns an unsubscribe function. */
export function watchVisibility(callback: Callback): Callback {
  if (typeof document === "undefined") return () => undefined;
  const page = document;
  page.addEventListener("visibilitychange", callback);
  return () => page.removeEventListener("visibilitychange", callback);
}

function onReturn(): void {
  for (const callback of [...callbacks]) callback();
}

/** Page Lifecycle and WHATWG HTML (page visibility, `pageshow`, `online`). Workers have only `online`, servers none. */
function listen(): Callback {
  const page = typeof document === "undefined" ? null : document;
  const scope = typeof addEventListener === "undefined" ? null : globalThis;
  const onVisibilityChange = (): void => {
    if (page?.visibilityState === "visible") onReturn();
  };
  page?.addEventListener("visibilitychange", onVisibilityChange);
  page?.addEventListener("resume", onReturn);
  scope?.addEventListener("pageshow", onReturn);
  scope?.addEventListener("online", onReturn);
  return () => {
    page?.removeEventListener("visibilitychange", onVisibilityChange);
    page?.removeEventListener("resume", onReturn);
    scope?.removeEventListener("pageshow", onReturn);
    scope?.removeEventListener("online", onReturn);
  };
}
