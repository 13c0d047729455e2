// Starts and uses worker threads for `connectInWorker()`.

import type { Worker } from "node:worker_threads";
import { nodeModule } from "../protocol/node-module.js";
import { codeOf } from "../shared/code-of.js";
import { WorkerError } from "../transport/worker/worker-error.js";
import type { OnFailed, RunningWorker } from "../transport/worker/worker-host.js";

/** Starts a thread with the library's script. `leave()` terminates it. */
export function startWorker(onFailed: OnFailed): RunningWorker {
  const worker = newWorker(scriptURL());
  const running = useWorker(worker, onFailed);
  return {
    post: (message, port) => running.post(message, port),
    leave: () => {
      running.leave();
      // Without a listener, a late error would be an uncaught exception.
      worker.on("error", () => undefined);
      void worker.terminate();
    },
  };
}

/** In the form that bundlers recognise. */
function scriptURL(): URL {
  try {
    return new URL("../worker.js", import.meta.url);
  } catch (cause) {
    throw scriptNotFound(cause); // In CommonJS bundles, `import.meta.url` is undefined.
  }
}

/** Uses a worker of the application. `leave()` does not terminate it. */
export function useWorker(worker: Worker, onFailed: OnFailed): RunningWorker {
  // A worker that has ended emits no more events.
  if (worker.threadId === -1)
    throw new WorkerError("The worker thread in `worker` has ended. Start another one.");
  const onError = (cause: unknown): void => onFailed(failureOf(cause));
  const onExit = (code: number): void => {
    onFailed(new WorkerError(`The worker thread of the connection ended, with exit code ${code}.`));
  };
  worker.on("error", onError);
  worker.on("exit", onExit);
  return {
    // Node's declarations and those of browsers declare MessagePort as different types.
    post: (message, port) => worker.postMessage({ message, port }, [port as never]),
    leave: () => {
      worker.off("error", onError);
      worker.off("exit", onExit);
    },
  };
}

function failureOf(cause: unknown): WorkerError {
  if (codeOf(cause) === "ERR_MODULE_NOT_FOUND" || codeOf(cause) === "MODULE_NOT_FOUND") {
    return scriptNotFound(cause);
  }
  return new WorkerError("The worker thread of the connection failed. `cause` is what it threw.", cause);
}

function scriptNotFound(cause: unknown): WorkerError {
  return new WorkerError(
    "The script of the worker thread, or a module that it imports, was not found: `cause` says more. After bundling, give `worker` a script that imports `holdfast/worker` (docs/keepalive.md).",
    cause,
  );
}

/** Starts a worker with the flags of this process. Node inherits all flags by default, but rejects some in a list. */
function newWorker(script: URL): Worker {
  const { Worker } = nodeModule("node:worker_threads");
  if (!process.execArgv.some(isInputType)) return new Worker(script);
  // A worker that inherits --input-type cannot run a file.
  let flags = process.execArgv.filter(
    (flag, index, all) => !isInputType(flag) && all[index - 1] !== INPUT_TYPE,
  );
  for (;;) {
    try {
      return new Worker(script, { execArgv: flags });
    } catch (error) {
      const accepted = withoutRefused(flags, error);
      if (accepted.length === flags.length) throw error;
      flags = accepted;
    }
  }
}

const INPUT_TYPE = "--input-type";

function isInputType(flag: string): boolean {
  return flag === INPUT_TYPE || flag.startsWith(`${INPUT_TYPE}=`);
}

/** Removes the flags that Node's error lists as invalid for workers, together with their values. */
function withoutRefused(flags: readonly string[], error: unknown): string[] {
  if (codeOf(error) !== "ERR_WORKER_INVALID_EXEC_ARGV" || !(error instanceof Error)) return [...flags];
  const refused = new Set(error.message.slice(error.message.indexOf(":") + 1).split(/[,\s]+/));
  return flags.filter(
    (flag, index) => !refused.has(flag) && (flag.startsWith("-") || !refused.has(flags[index - 1])),
  );
}
