// Entry point `holdfast/worker` for worker threads: opens the connections of `connectInWorker()`. Import it in a worker
// of your own.

import { parentPort } from "node:worker_threads";
import { open } from "./client/connect.js";
import { nodeRuntime } from "./transport/node/node-runtime.js";
import { takeAssignment } from "./transport/worker/serve-port.js";

parentPort?.on("message", (data: { readonly message?: unknown; readonly port?: MessagePort } | null) => {
  takeAssignment(data?.message, data?.port, nodeRuntime().clock, open);
});
