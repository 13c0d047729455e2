// A healthy peer with its own event loop: it answers pings while the test's thread is blocked.

import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { connect, serve } from "holdfast";

/** Starts a server; resolves with its URL. */
export async function startServerWorker(): Promise<{ readonly url: string; readonly worker: Worker }> {
  const worker = new Worker(new URL(import.meta.url), { workerData: null });
  const [url] = (await once(worker, "message")) as [string];
  return { url, worker };
}

/** Starts a client that connects to the URL. */
export function startClientWorker(url: string): Worker {
  return new Worker(new URL(import.meta.url), { workerData: url });
}

if (!isMainThread) {
  if (typeof workerData === "string") await connect(workerData, { pingInterval: null });
  else {
    const server = await serve(() => undefined, { host: "127.0.0.1", pingInterval: null });
    parentPort?.postMessage(server.url);
  }
}
