// `holdfast doctor` against proxies whose idle timeouts the test configures.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { serve } from "holdfast";
import { findExecutable } from "./peers/executables.js";
import { haproxy } from "./proxies/haproxy.js";
import { nginx } from "./proxies/nginx.js";
import { Proxy } from "./proxies/proxy.js";

const installedBy = "scripts/install-peers.sh proxies";
const main = join(dirname(fileURLToPath(import.meta.resolve("holdfast"))), "cli/main.js");
const run = promisify(execFile);

describe("holdfast doctor", { concurrency: true }, () => {
  for (const { row, name, make } of [
    { row: "nginx", name: "nginx", make: nginx },
    { row: "HAProxy", name: "haproxy", make: haproxy },
  ] as const) {
    const found = findExecutable([name], { installedBy });
    test(`K: doctor finds the idle timeout of ${row}`, { skip: found.skip }, async () => {
      await using server = await serve((connection) => connection.forEach(() => undefined), {
        host: "127.0.0.1",
        pingInterval: null,
      });
      await using proxy = await Proxy.start(make(found), { backendPort: server.port, idleTimeout: 3000 });
      const words = [main, "doctor", "--idle", "8", "--proxy", "none", proxy.url];
      const { stdout } = await run(process.execPath, words, { timeout: 60_000 });
      const idle = Number(/idle connections are cut after (\d+\.\d) s/.exec(stdout)?.[1]);
      assert(idle >= 2.9 && idle < 5, stdout);
      assert.match(stdout, /Set `pingInterval` to (?:1[45]|2[0-4])00 or less/);
    });
  }
});
