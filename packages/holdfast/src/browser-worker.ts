// Entry point `holdfast/worker` for Web Workers: opens the connections of `connectInWorker()`. Import it in a worker of
// your own.

import { openWith } from "./browser/open.js";
import * as pageConnection from "./browser/page-connection.js";
import * as rareCode from "./browser/rare-code.js";
import { browserRuntime } from "./transport/browser/browser-runtime.js";
import { takeAssignment } from "./transport/worker/serve-port.js";

/** Not loaded later as in a page (late-code.ts). */
const code = { connection: { get: () => pageConnection }, rare: { get: () => rareCode } };

addEventListener("message", (event: MessageEvent<{ readonly message?: unknown } | null>) => {
  takeAssignment(event.data?.message, event.ports[0], browserRuntime().clock, (url, options, observer) =>
    openWith(code, url, options, observer),
  );
});
