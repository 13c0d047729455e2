// Sessions, topics, the standard's WebSocket and tools on other runtimes; on Deno with the permission for the network only.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { testCertificates } from "holdfast-testkit";
import { findRuntime } from "./peers/runtimes.js";

const EXPECTED = `\
session: before the cut
session: after the cut true
topic: earlier
topic: later
WebSocket: hello 1000
ResumableWebSocket: hello 1000
`;

const TOOLS = `\
attach: wss:// https: false
http2: 200 hello
inspect: http:
clock: open true
clock: true
`;

/** On Deno: neither the environment nor files. */
function onlyNetwork(argument: string): string {
  return argument === "--allow-all" ? "--allow-net" : argument;
}

describe("Features on other runtimes", { concurrency: 2 }, () => {
  for (const name of ["Node.js 22", "Node.js 24", "Bun", "Deno"] as const) {
    const runtime = findRuntime(name);

    test(
      `A1: attach() to https, HTTP/2 without TLS, the inspector and the fake clock work on ${name}`,
      { skip: runtime.skip, timeout: 60_000 },
      async () => {
        const [command, ...args] = runtime.program("tools").map(onlyNetwork);
        assert.ok(command !== undefined);
        const certificates = JSON.stringify(await testCertificates());
        const { stdout, stderr } = await promisify(execFile)(command, [...args, certificates]);
        assert.deepEqual({ stdout, stderr }, { stdout: TOOLS, stderr: "" });
      },
    );

    test(
      `A1: sessions, topics and the class WebSocket work on ${name}`,
      { skip: runtime.skip, timeout: 60_000 },
      async () => {
        const [command, ...args] = runtime.program("features").map(onlyNetwork);
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
