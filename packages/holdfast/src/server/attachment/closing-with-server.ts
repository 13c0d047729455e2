// Closes an attached server together with its HTTP server, whose `close()` would wait for the WebSockets for ever.

import type { Server as NetServer } from "node:net";

/**
 * Calls `closeAttached` when `httpServer.close()` is called: by the application, by a framework, or at the end of
 * `await using`. The HTTP server emits no event at that moment, so its method is replaced.
 *
 * @returns a function that restores the method
 */
export function closeWithServer(httpServer: NetServer, closeAttached: () => void): () => void {
  const original = Object.getOwnPropertyDescriptor(httpServer, "close");
  const close = httpServer.close.bind(httpServer);
  let isActive = true;
  const replacement: NetServer["close"] = (callback) => {
    if (isActive) closeAttached();
    return close(callback);
  };
  Object.defineProperty(httpServer, "close", { value: replacement, configurable: true, writable: true });
  return () => {
    isActive = false;
    // Somebody else may have replaced it since then; this replacement then passes calls on.
    if (httpServer.close !== replacement) return;
    if (original === undefined) Reflect.deleteProperty(httpServer, "close");
    else Object.defineProperty(httpServer, "close", original);
  };
}
