// nginx and HAProxy between our client and our server. The tests wait for the proxies' timeouts, so they run
// concurrently.

import { describe } from "node:test";
import { noteVersion } from "./matrix/test-cell.js";
import { findExecutable, versionOf } from "./peers/executables.js";
import { haproxy } from "./proxies/haproxy.js";
import { nginx } from "./proxies/nginx.js";
import { testProxy } from "./scenes/proxy-tests.js";

const installedBy = "scripts/install-peers.sh proxies";

describe("proxies", { concurrency: true }, () => {
  for (const { row, name, make } of [
    { row: "nginx", name: "nginx", make: nginx },
    { row: "HAProxy", name: "haproxy", make: haproxy },
  ] as const) {
    const found = findExecutable([name], { installedBy });
    if (found.skip === false) noteVersion(row, versionOf(found.path, ["-v"]));
    describe(row, { concurrency: true }, () => testProxy({ row, kind: make(found), skip: found.skip }));
  }
});
