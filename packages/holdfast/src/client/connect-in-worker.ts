// A connection that lives in a worker thread: its heartbeat does not depend on how busy this thread is.

import { Worker } from "node:worker_threads";
import type { Connection } from "../connection/connection.js";
import { expected } from "../connection/options.js";
import { nodeRuntime } from "../node/node-runtime.js";
import { parseWebSocketURL } from "../protocol/handshake/url.js";
import { copyOptions } from "../persist/copy-options.js";
import { checkCrossing } from "../worker/crossing.js";
import { openInWorker } from "../worker/open-in-worker.js";
import { WorkerError } from "../worker/worker-error.js";
import { WorkerHost, type OnFailed, type RunningWorker } from "../worker/worker-host.js";
import { checkConnectOptions, type ConnectOptions } from "./options.js";
import { fixProxy } from "./road/options.js";

/** Options of `connectInWorker()`: those of `connect()` that are plain data. */
export interface ConnectInWorkerOptions extends Omit<
  ConnectOptions,
  "createConnection" | "lookup" | "stream"
> {
  /**
   * A worker thread of your own, whose script imports `holdfast/worker`; it is not ended. By default one thread serves
   * all connections of the process that are opened this way, and ends with the last of them.
   */
  readonly worker?: Worker | undefined;
}

/**
 * Opens a WebSocket as `connect()` does, in a worker thread: pings are sent, answered and judged there, however long
 * this thread is busy. What is sent and received is the same; bytes are handed over between the threads, not cloned.
 *
 * @throws InvalidArgument for options that cannot be sent to a worker: functions, streams
 * @throws WorkerError where the thread cannot be started, or ends before the connection is open
 * @throws whatever `connect()` does
 */
export async function connectInWorker(
  url: string | URL,
  options: ConnectInWorkerOptions = {},
): Promise<Connection> {
  const { worker, ...copied } = copyOptions({ ...options, ...fixProxy(options.proxy) });
  const { signal: _, logger: __, ...rest } = copied;
  parseWebSocketURL(url);
  if (worker !== undefined && !(worker instanceof Worker))
    throw expected("worker", "a worker thread", worker);
  const plain = checkCrossing("", rest) as object; // A plain object makes a plain object.
  const { connection, openTimeout, signal } = checkConnectOptions(copied);
  const host = worker === undefined ? sharedHost : new WorkerHost((onFailed) => borrow(worker, onFailed));
  const runtime = nodeRuntime();
  const call = { runtime, host, url: String(url), options: plain, settings: connection, openTimeout, signal };
  return openInWorker({ ...call, owner: null });
}

const sharedHost = new WorkerHost((onFailed) => {
  const worker = new Worker(new URL("../worker.js", import.meta.url), { execArgv: execArgv() });
  const borrowed = borrow(worker, onFailed);
  return {
    post: (message, port) => borrowed.post(message, port),
    leave: () => {
      borrowed.leave();
      void worker.terminate();
    },
  };
});

/** Options of a program that was given in the command line cannot be a file's. */
function execArgv(): string[] {
  return process.execArgv.filter((option) => !option.startsWith("--input-type"));
}

function borrow(worker: Worker, onFailed: OnFailed): RunningWorker {
  const onError = (cause: unknown): void => {
    onFailed(new WorkerError("The worker thread of the connection failed; `cause` is what it threw", cause));
  };
  const onExit = (code: number): void => {
    onFailed(new WorkerError(`The worker thread of the connection ended, with exit code ${code}`));
  };
  worker.on("error", onError);
  worker.on("exit", onExit);
  return {
    // Node's declarations and those of browsers know the same class by two names.
    post: (message, port) => worker.postMessage({ message, port }, [port as never]),
    leave: () => {
      worker.off("error", onError);
      worker.off("exit", onExit);
    },
  };
}
