// Worker threads of `connectInWorker()`: the library's own, or one of the application's.

import { Worker } from "node:worker_threads";
import { WorkerError } from "../transport/worker/worker-error.js";
import type { OnFailed, RunningWorker } from "../transport/worker/worker-host.js";

/** Starts the library's script; `leave()` ends the thread. */
export function startWorker(onFailed: OnFailed): RunningWorker {
  const worker = newWorker(scriptURL());
  const borrowed = borrowWorker(worker, onFailed);
  return {
    post: (message, port) => borrowed.post(message, port),
    leave: () => {
      borrowed.leave();
      // Nobody waits for what goes wrong now; without a listener it would be an uncaught exception.
      worker.on("error", () => undefined);
      void worker.terminate();
    },
  };
}

/** Spelt so that bundlers which know this form find the script. */
function scriptURL(): URL {
  try {
    return new URL("../worker.js", import.meta.url);
  } catch (cause) {
    throw scriptNotFound(cause); // Bundled as CommonJS, where no module has a URL.
  }
}

/** A worker of the application, which is not ended. */
export function borrowWorker(worker: Worker, onFailed: OnFailed): RunningWorker {
  // One that has ended says so no more.
  if (worker.threadId === -1)
    throw new WorkerError("The worker thread in `worker` has ended: start another one");
  const onError = (cause: unknown): void => onFailed(failureOf(cause));
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

function failureOf(cause: unknown): WorkerError {
  if (codeOf(cause) === "ERR_MODULE_NOT_FOUND" || codeOf(cause) === "MODULE_NOT_FOUND") {
    return scriptNotFound(cause);
  }
  return new WorkerError("The worker thread of the connection failed; `cause` is what it threw", cause);
}

function scriptNotFound(cause: unknown): WorkerError {
  return new WorkerError(
    "The script of the worker thread, or a module that it imports, was not found: `cause` says more. After bundling, give `worker` a script that imports `holdfast/worker` (docs/keepalive.md)",
    cause,
  );
}

/** With the flags of this process. Node passes on all of them where it is given none, but refuses some in a list. */
function newWorker(script: URL): Worker {
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

/** Node's error lists the flags that only a process can have; what is no flag after one of them is its value. */
function withoutRefused(flags: readonly string[], error: unknown): string[] {
  if (codeOf(error) !== "ERR_WORKER_INVALID_EXEC_ARGV" || !(error instanceof Error)) return [...flags];
  const refused = new Set(error.message.slice(error.message.indexOf(":") + 1).split(/[,\s]+/));
  return flags.filter(
    (flag, index) => !refused.has(flag) && (flag.startsWith("-") || !refused.has(flags[index - 1])),
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
