// `connectInWorker()` for Node.js, Bun and Deno: a connection in a worker thread, where a busy main thread does not
// delay its heartbeat.

import { nodeModule } from "../protocol/node-module.js";
import { FOREIGN_CLIENT_OPTIONS } from "../transport/node/foreign-options.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import type { Worker } from "node:worker_threads";
import type { Connection } from "../connection/connection.js";
import { invalidArgument } from "../shared/option-checks.js";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import { parseWebSocketURL } from "../protocol/handshake/url.js";
import { copyOptions } from "../reconnect/copy-options.js";
import { checkCrossing } from "../transport/worker/crossing.js";
import { openInWorker } from "../transport/worker/open-in-worker.js";
import { createWorkerConnection } from "../transport/worker/worker-connection.js";
import { WorkerHost } from "../transport/worker/worker-host.js";
import { CONNECT_OPTIONS, checkConnectOptions, type ConnectOptions } from "./options.js";
import { useWorker, startWorker } from "./worker-thread.js";
import { fixProxy } from "./dial/options.js";

/** Options of `connectInWorker()`: the options of `connect()` that can be sent to a worker. */
export interface ConnectInWorkerOptions extends Omit<
  ConnectOptions,
  "createConnection" | "lookup" | "stream"
> {
  /**
   * A worker thread of your own, whose script imports `holdfast/worker`. The library never terminates it. By default,
   * all connections opened in workers share one thread, which ends with the last of them.
   */
  readonly worker?: Worker | undefined;
}

const WORKER_OPTIONS: OptionNames<ConnectInWorkerOptions> = {
  ...CONNECT_OPTIONS,
  worker: true,
};

/**
 * Opens a WebSocket as `connect()` does, in a worker thread. The heartbeat runs there, even while this thread is busy.
 * Messages are the same; bytes are transferred between the threads, not cloned.
 *
 * The thread has the flags of this process (`--import`, `--enable-source-maps`, `--max-old-space-size` …).
 *
 * @throws InvalidArgumentError for options that cannot be sent to a worker: functions, streams
 * @throws WorkerError if the thread cannot start, its script is not found, or it ends before the connection is open;
 *   `cause` is the error of Node.js, if there is one
 * @throws the errors of `connect()`
 */
export async function connectInWorker(
  url: string | URL,
  options: ConnectInWorkerOptions = {},
): Promise<Connection> {
  checkOptionNames("connectInWorker()", options, WORKER_OPTIONS, FOREIGN_CLIENT_OPTIONS);
  const { worker, ...copied } = copyOptions({ ...options, ...fixProxy(options.proxy) });
  const { signal: _, logger: __, ...rest } = copied;
  parseWebSocketURL(url);
  if (worker !== undefined && !(worker instanceof nodeModule("node:worker_threads").Worker))
    throw invalidArgument("worker", "a worker thread", worker);
  const plain = checkCrossing("", rest) as object; // Safe: `checkCrossing` returns an object for an object.
  const { connection, openTimeout, signal } = checkConnectOptions(copied);
  const host = worker === undefined ? sharedHost : new WorkerHost((onFailed) => useWorker(worker, onFailed));
  const runtime = nodeRuntime();
  const call = { runtime, host, url: String(url), options: plain, settings: connection, openTimeout, signal };
  return openInWorker({ ...call, start: (opened) => createWorkerConnection(opened, runtime, null) });
}

const sharedHost = new WorkerHost(startWorker);
