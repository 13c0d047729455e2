// The script of a Web Worker: it opens the connections of `connectInWorker()`. A worker of your own imports it.

import { browserRuntime } from "./transport/browser/browser-runtime.js";
import { open } from "./browser/connect.js";
import { takeAssignment } from "./transport/worker/serve-port.js";

addEventListener("message", (event: MessageEvent<{ readonly message?: unknown } | null>) => {
  takeAssignment(event.data?.message, event.ports[0], browserRuntime().clock, open);
});
