// Sessions, topics and the standard's WebSocket on other runtimes; on Deno with the permission for the network only.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { findRuntime } from "./peers/runtimes.js";

const EXPECTED = `\
session: before the cut
session: after the cut true
topic: earlier
topic: later
WebSocket: hello 1000
ResumableWebSocket: hello 1000
`;

describe("Features on other runtimes", { concurrency: 2 }, () => {
  for (const name of ["Node.js 22", "Node.js 24", "Bun", "Deno"] as const) {
    const runtime = findRuntime(name);

    test(
      `A1: sessions, topics and the class WebSocket work on ${name}`,
      { skip: runtime.skip, timeout: 60_000 },
      async () => {
        const [command, ...args] = runtime.program("features").map((argument) =>
          // Neither the environment nor files.
          argument === "--allow-all" ? "--allow-net" : argument,
        );
        assert.ok(command !== undefined);
        const env = { ...process.env, HTTP_PROXY: "http://127.0.0.1:1" };
        const { stdout, stderr } = await promisify(execFile)(command, args, {
          env: name === "Deno" ? env : process.env,
        });
        assert.deepEqual({ stdout, stderr }, { stdout: EXPECTED, stderr: "" });
      },
    );
  }
});
