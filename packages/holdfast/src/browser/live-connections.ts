// The open connections of a page. They are probed when the page becomes visible or the network returns.

import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import type { ConnectionEndObserver } from "../connection/connection-core.js";
import { isPageVisible, watchReturns, watchVisibility } from "./page-lifecycle.js";

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

/**
 * Probes the connection whenever the page or the network returns, and reports whether the page is visible. The connection's
 * owner must be `pageOwner`.
 */
export function probeOnReturn(connection: Connection): void {
  live.add(connection);
  showPage(connection);
  stopWatching ??= watchPage();
}

function watchPage(): () => void {
  const stopWatchingVisibility = watchVisibility(() => {
    for (const each of live) showPage(each);
  });
  const stopWatchingReturns = watchReturns(() => {
    for (const each of live) coreOf(each).probe();
  });
  return () => {
    stopWatchingVisibility();
    stopWatchingReturns();
  };
}

/** In a worker there is no page: the traffic decides how often adaptive detection pings. */
function showPage(connection: Connection): void {
  const isVisible = isPageVisible();
  if (isVisible !== null) coreOf(connection).keepalive.onPage(isVisible);
}
