// The far side of `connectInWorker()` in a worker thread.

import { parentPort } from "node:worker_threads";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import { takeAssignment } from "../transport/worker/serve-port.js";
import { open } from "./connect.js";

/** From now on, this thread opens the connections that it is given. */
export function serveInWorker(): void {
  parentPort?.on("message", (data: { readonly message?: unknown; readonly port?: MessagePort } | null) => {
    takeAssignment(data?.message, data?.port, nodeRuntime().clock, open);
  });
}
