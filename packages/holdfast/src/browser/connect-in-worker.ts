// `connectInWorker()` for browsers: a connection in a Web Worker, where a busy page does not delay its heartbeat.

import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import type { Connection } from "../connection/connection.js";
import { invalidArgument } from "../shared/option-checks.js";
import { quietly } from "../shared/deferred.js";
import { copyOptions } from "../reconnect/copy-options.js";
import { checkCrossing } from "../transport/worker/crossing.js";
import { openInWorker } from "../transport/worker/open-in-worker.js";
import { WorkerError } from "../transport/worker/worker-error.js";
import { WorkerHost, type OnFailed, type RunningWorker } from "../transport/worker/worker-host.js";
import { browserRuntime } from "../transport/browser/browser-runtime.js";
import { parseBrowserURL } from "./browser-url.js";
import { openingCode, workerConnectionCode } from "./late-code.js";
import { loadCodeFor, waitForCode } from "./load-code.js";
import { CONNECT_OPTIONS, checkConnectOptions, type ConnectOptions, NO_SESSION } from "./options.js";
import { withFullStop } from "../shared/full-stop.js";

/** Options of `connectInWorker()`: the options of `connect()` that can be sent to a worker. */
export interface ConnectInWorkerOptions extends Omit<ConnectOptions, "heartbeat"> {
  /**
   * A worker of your own, whose script imports `holdfast/worker`, for bundlers that do not find the library's script
   * and security policies that block it. The library never terminates it. By default, all connections opened in workers
   * share one worker, which ends with the last of them.
   */
  readonly worker?: Worker | undefined;
}

const WORKER_OPTIONS: OptionNames<ConnectInWorkerOptions> = {
  ...CONNECT_OPTIONS,
  worker: true,
};

/**
 * Opens a WebSocket as `connect()` does, in a Web Worker. The heartbeat runs there, even while the page is busy.
 * Messages are the same; bytes are transferred between the threads, not cloned.
 *
 * @throws InvalidArgumentError for options that cannot be sent to a worker: functions
 * @throws WorkerError if the worker cannot start
 * @throws the errors of `connect()`
 */
export async function connectInWorker(
  url: string | URL,
  options: ConnectInWorkerOptions = {},
): Promise<Connection> {
  checkOptionNames("connectInWorker()", options, WORKER_OPTIONS, NO_SESSION);
  const { worker, ...copied } = copyOptions(options);
  const { signal: _, logger: __, ...rest } = copied;
  const { href } = parseBrowserURL(url);
  if (worker !== undefined && !(typeof Worker !== "undefined" && worker instanceof Worker))
    throw invalidArgument("worker", "a Worker", worker);
  const plain = checkCrossing("", rest) as object; // Safe: `checkCrossing` returns an object for an object.
  const checked = checkConnectOptions(copied);
  const host = worker === undefined ? shared() : new WorkerHost((onFailed) => useWorker(worker, onFailed));
  const runtime = browserRuntime();
  const { openTimeout, signal } = checked;
  const deadline = openTimeout === null ? null : runtime.clock.now() + openTimeout;
  const code = workerConnectionCode.get();
  const loading = loadCodeFor(openingCode, checked, runtime, deadline);
  const { ConnectionLog: log } = loading instanceof Promise ? await loading : loading;
  const settings = { ...checked.connection, log };
  const start =
    code instanceof Promise
      ? quietly(waitForCode(code, checked, runtime, deadline).then((loaded) => loaded.startInWorker))
      : code.startInWorker;
  return openInWorker({ runtime, host, url: href, options: plain, settings, openTimeout, signal, start });
}

let sharedHost: WorkerHost | null = null;

function shared(): WorkerHost {
  return (sharedHost ??= new WorkerHost((onFailed) => {
    // In the form that bundlers recognise.
    const worker = new Worker(new URL("../browser-worker.js", import.meta.url), { type: "module" });
    const running = useWorker(worker, onFailed);
    return {
      post: (message, port) => running.post(message, port),
      leave: () => {
        running.leave();
        worker.terminate();
      },
    };
  }));
}

const SCRIPT_MISSING =
  "its script cannot be loaded. Check that the bundler has emitted it, and that `worker-src` of the page's Content-Security-Policy allows it";

function useWorker(worker: Worker, onFailed: OnFailed): RunningWorker {
  const onError = (event: ErrorEvent): void => {
    onFailed(
      new WorkerError(
        withFullStop(`The worker of the connection failed: ${event.message || SCRIPT_MISSING}`),
      ),
    );
  };
  worker.addEventListener("error", onError);
  return {
    post: (message, port) => worker.postMessage({ message }, [port]),
    leave: () => worker.removeEventListener("error", onError),
  };
}
