import { useSyncExternalStore } from "react";
import type { ConnectionStore, Snapshot } from "./connection-store.js";

/** Subscribes the component to the connection. */
export function useConnection(store: ConnectionStore): Snapshot {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
}
