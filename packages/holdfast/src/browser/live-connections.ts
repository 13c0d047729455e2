// The open connections of a page, which are probed when it comes back.

import { coreOf, type Connection } from "../connection/connection.js";
import type { ConnectionEndObserver } from "../connection/connection-core.js";
import { watchReturns } from "./page-life.js";

const live = new Set<Connection>();
let stopWatching: (() => void) | null = null;

/** Lets go of what has ended. */
export const pageOwner: ConnectionEndObserver = {
  onConnectionEnded(connection): void {
    live.delete(connection);
    if (live.size > 0) return;
    stopWatching?.();
    stopWatching = null;
  },
};

/** From now on, the connection is probed whenever the page comes back. Its owner is `pageOwner`. */
export function probeOnReturn(connection: Connection): void {
  live.add(connection);
  stopWatching ??= watchReturns(() => {
    for (const each of live) coreOf(each).probe();
  });
}
