// Makes the connection that a worker of the page has opened. A page loads this code while the worker opens its WebSocket.

import type { Connection } from "../connection/connection.js";
import { STREAMING } from "../connection/reading/streaming.js";
import type { Runtime } from "../connection/runtime.js";
import { newBrowserRuntime } from "../transport/browser/browser-runtime.js";
import { createWorkerConnection, type OpenedInWorker } from "../transport/worker/worker-connection.js";
import { pageOwner, probeOnReturn } from "./live-connections.js";

/** The worker delivers messages in pieces where the page asks for that. */
let shared: Runtime | null = null;

export function startInWorker(opened: OpenedInWorker): Connection {
  shared ??= newBrowserRuntime(STREAMING);
  const connection = createWorkerConnection(opened, shared, pageOwner);
  // A worker receives no event when the page becomes visible again.
  if (connection.state === "open") probeOnReturn(connection);
  return connection;
}
