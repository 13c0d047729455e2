// The open connections of a page. They are probed when the page becomes visible or the network returns.

import { coreOf, type Connection } from "../connection/connection.js";
import type { ConnectionEndObserver } from "../connection/connection-core.js";
import { watchReturns } from "./page-lifecycle.js";

const live = new Set<Connection>();
let stopWatching: (() => void) | null = null;

/** Removes connections that have ended. */
export const pageOwner: ConnectionEndObserver = {
  onConnectionEnded(connection): void {
    live.delete(connection);
    if (live.size > 0) return;
    stopWatching?.();
    stopWatching = null;
  },
};

/** Probes the connection whenever the page or the network returns. The connection's owner must be `pageOwner`. */
export function probeOnReturn(connection: Connection): void {
  live.add(connection);
  stopWatching ??= watchReturns(() => {
    for (const each of live) coreOf(each).probe();
  });
}
