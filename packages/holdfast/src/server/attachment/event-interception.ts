// Takes events of the application's HTTP server before its listeners receive them.

import type { IncomingMessage } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";

/** Returns the function that takes the event, or null. If it takes it, no listener receives the event. */
export type Interceptor = (event: string | symbol, args: readonly unknown[]) => (() => void) | null;

/** The arguments that Node passes with the event `upgrade`. */
export type UpgradeArguments = readonly [IncomingMessage, Duplex, Uint8Array];

/** The arguments that Node passes with the event `stream`. */
export type StreamArguments = readonly [ServerHttp2Stream, IncomingHttpHeaders, number, (readonly string[])?];

interface Interception {
  readonly interceptors: Set<Interceptor>;
  readonly restore: () => void;
}

/** One for each server, so that its interceptors may end in any order. */
const interceptions = new WeakMap<NetServer, Interception>();

/**
 * Offers each event to the interceptor first. Returns a function that ends that.
 *
 * It replaces `emit()`: a listener cannot keep an event from the others, and those of the application may be added later.
 */
export function interceptEvents(httpServer: NetServer, interceptor: Interceptor): () => void {
  const { interceptors, restore } = interceptions.get(httpServer) ?? replaceEmit(httpServer);
  interceptors.add(interceptor);
  return () => {
    if (interceptors.delete(interceptor) && interceptors.size === 0) restore();
  };
}

function replaceEmit(httpServer: NetServer): Interception {
  const server = httpServer as { emit: (event: string | symbol, ...args: unknown[]) => boolean };
  const original = server.emit;
  const wasOwn = Object.hasOwn(httpServer, "emit");
  const interceptors = new Set<Interceptor>();
  const replacement = function (this: NetServer, event: string | symbol, ...args: unknown[]): boolean {
    for (const intercept of interceptors) {
      const take = intercept(event, args);
      if (take === null) continue;
      const restoreListeners = replaceListeners(this, event, () => {
        restoreListeners();
        take();
      });
      try {
        original.call(this, event, ...args);
      } finally {
        restoreListeners();
      }
      return true;
    }
    return original.call(this, event, ...args);
  };
  server.emit = replacement;
  const restore = (): void => {
    interceptions.delete(httpServer);
    if (server.emit !== replacement) return; // Other code has wrapped it since; it now passes every event on.
    if (wasOwn) server.emit = original;
    else Reflect.deleteProperty(httpServer, "emit");
  };
  const interception = { interceptors, restore };
  interceptions.set(httpServer, interception);
  return interception;
}

/**
 * Makes `listener` the only one, until the returned function is called. The event still goes through an `emit()` that an
 * instrumentation has replaced, which may set the async context. `_events` is undocumented, but as old as Node.
 */
function replaceListeners(emitter: object, event: string | symbol, listener: () => void): () => void {
  const { _events } = emitter as { _events: Record<string | symbol, unknown> };
  const before = _events[event];
  _events[event] = listener;
  return () => {
    if (_events[event] !== listener) return;
    if (before === undefined) Reflect.deleteProperty(_events, event);
    else _events[event] = before;
  };
}
