// Entry point `holdfast/worker` for Web Workers: opens the connections of `connectInWorker()`. Import it in a worker of
// your own.

import { browserRuntime } from "./transport/browser/browser-runtime.js";
import { open } from "./browser/connect.js";
import { takeAssignment } from "./transport/worker/serve-port.js";

addEventListener("message", (event: MessageEvent<{ readonly message?: unknown } | null>) => {
  takeAssignment(event.data?.message, event.ports[0], browserRuntime().clock, open);
});
