// The life of a page: hidden, frozen, asleep, offline, and back. Whoever comes back wants to know at once how its
// connections are, and not at the next slot of a timer that the browser may have slowed down.

type Callback = () => void;

const callbacks = new Set<Callback>();
let stopListening: Callback | null = null;

/** Calls back whenever the page comes back, or the network may have; returns what ends that. */
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

function onReturn(): void {
  for (const callback of [...callbacks]) callback();
}

/** Page Lifecycle, WHATWG HTML (page visibility, `pageshow`, `online`). A worker has `online` only, a server nothing. */
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
