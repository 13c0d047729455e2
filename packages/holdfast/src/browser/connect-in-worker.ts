// A connection that lives in a Web Worker: its heartbeat does not depend on how busy the page is.

import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import type { Connection } from "../connection/connection.js";
import { invalidArgument } from "../shared/option-checks.js";
import { copyOptions } from "../reconnect/copy-options.js";
import { checkCrossing } from "../transport/worker/crossing.js";
import { openInWorker } from "../transport/worker/open-in-worker.js";
import { WorkerError } from "../transport/worker/worker-error.js";
import { WorkerHost, type OnFailed, type RunningWorker } from "../transport/worker/worker-host.js";
import { browserRuntime } from "../transport/browser/browser-runtime.js";
import { parseBrowserURL } from "./browser-url.js";
import { pageOwner, probeOnReturn } from "./live-connections.js";
import { CONNECT_OPTIONS, checkConnectOptions, type ConnectOptions } from "./options.js";

/** Options of `connectInWorker()`: those of `connect()` that are plain data. */
export interface ConnectInWorkerOptions extends Omit<ConnectOptions, "heartbeat"> {
  /**
   * A worker of your own, whose script imports `holdfast/worker`: for bundlers and policies that do not find the
   * library's. It is not ended. By default one worker serves all connections of the page that are opened this way, and
   * ends with the last of them.
   */
  readonly worker?: Worker | undefined;
}

const WORKER_OPTIONS: OptionNames<ConnectInWorkerOptions> = {
  ...CONNECT_OPTIONS,
  worker: true,
};

/**
 * Opens a WebSocket as `connect()` does, in a Web Worker: pings are sent and judged there, however long the page is
 * busy. What is sent and received is the same; bytes are handed over between the threads, not cloned.
 *
 * @throws InvalidArgumentError for options that cannot be sent to a worker: functions
 * @throws WorkerError where the worker cannot be started
 * @throws whatever `connect()` does
 */
export async function connectInWorker(
  url: string | URL,
  options: ConnectInWorkerOptions = {},
): Promise<Connection> {
  checkOptionNames("connectInWorker()", options, WORKER_OPTIONS);
  const { worker, ...copied } = copyOptions(options);
  const { signal: _, logger: __, ...rest } = copied;
  const { href } = parseBrowserURL(url);
  if (worker !== undefined && !(worker instanceof Worker))
    throw invalidArgument("worker", "a Worker", worker);
  const plain = checkCrossing("", rest) as object; // A plain object makes a plain object.
  const { connection: settings, openTimeout, signal } = checkConnectOptions(copied);
  const host = worker === undefined ? shared() : new WorkerHost((onFailed) => borrow(worker, onFailed));
  const runtime = browserRuntime();
  const call = { runtime, host, url: href, options: plain, settings, openTimeout, signal };
  const connection = await openInWorker({ ...call, owner: pageOwner });
  // The worker is not told that the page comes back.
  if (connection.state === "open") probeOnReturn(connection);
  return connection;
}

let sharedHost: WorkerHost | null = null;

function shared(): WorkerHost {
  return (sharedHost ??= new WorkerHost((onFailed) => {
    // Spelt so that bundlers find it.
    const worker = new Worker(new URL("../browser-worker.js", import.meta.url), { type: "module" });
    const borrowed = borrow(worker, onFailed);
    return {
      post: (message, port) => borrowed.post(message, port),
      leave: () => {
        borrowed.leave();
        worker.terminate();
      },
    };
  }));
}

function borrow(worker: Worker, onFailed: OnFailed): RunningWorker {
  const onError = (event: ErrorEvent): void => {
    onFailed(
      new WorkerError(
        `The worker of the connection failed: ${event.message || "its script cannot be loaded"}`,
      ),
    );
  };
  worker.addEventListener("error", onError);
  return {
    post: (message, port) => worker.postMessage({ message }, [port]),
    leave: () => worker.removeEventListener("error", onError),
  };
}
