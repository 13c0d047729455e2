// `holdfast/browser` as a client in workerd, the runtime of Cloudflare Workers.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { serve } from "holdfast";
import { createTopics } from "holdfast/topics";
import { isExecutable } from "./peers/executables.js";
import { PEERS_FOLDER } from "./peers/runtimes.js";

/** The package's own launcher is a script of Node.js, and hides the executable's process. */
const workerd = findWorkerd();
const skip = workerd === null && "workerd is not in .peers/ (scripts/install-peers.sh runtimes)";

/** By default, a Worker reaches public addresses only. */
const CONFIGURATION = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [(name = "worker", esModule = embed "worker.js")], compatibilityDate = "2025-06-01")),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;

test(
  "I1: a client in Cloudflare Workers: messages, latency, topics, sessions and errors",
  { skip, timeout: 60_000 },
  async (t) => {
    const topics = createTopics({ history: true });
    const server = await serve(
      async (connection) => {
        topics.open(connection, { authorize: () => true });
        await connection.forEach((message) => connection.send(message));
      },
      {
        host: "127.0.0.1",
        sessions: true,
        onRequest: ({ url }) => (url.endsWith("/refused") ? new Response("no", { status: 403 }) : undefined),
      },
    );
    t.after(() => Promise.all([server.close(), topics.close()]));
    const folder = await mkdtemp(join(tmpdir(), "holdfast-workerd-"));
    t.after(() => rm(folder, { recursive: true }));
    await build({
      entryPoints: [fileURLToPath(new URL("programs/cloudflare-worker.js", import.meta.url))],
      outfile: join(folder, "worker.js"),
      bundle: true,
      format: "esm",
      platform: "browser",
      logLevel: "silent",
    });
    await writeFile(join(folder, "config.capnp"), CONFIGURATION);

    const runtime = spawn(workerd ?? "", ["serve", join(folder, "config.capnp"), "--control-fd=3"], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    t.after(async () => {
      const exit = once(runtime, "exit");
      runtime.kill();
      await exit;
    });
    const control = createInterface({ input: runtime.stdio[3] as Readable }); // A pipe, as requested.
    const [line] = (await once(control, "line")) as [string];
    const { port } = JSON.parse(line) as { port: number };

    const target = `ws://127.0.0.1:${server.port}`;
    const response = await fetch(`http://127.0.0.1:${port}/?url=${encodeURIComponent(target)}`);
    assert.equal(
      await response.text(),
      `\
message: hello
latency: true
topic: gap
close: 1000 local-close
session: until delivered true
refused: HandshakeError
`,
    );
  },
);

function findWorkerd(): string | null {
  const architecture = process.arch === "x64" ? "64" : process.arch;
  const system = process.platform === "win32" ? "windows" : process.platform;
  try {
    const path = createRequire(`${PEERS_FOLDER}/package.json`).resolve(
      `@cloudflare/workerd-${system}-${architecture}/bin/workerd`,
    );
    return isExecutable(path) ? path : null;
  } catch {
    return null; // Not installed, or not for this machine.
  }
}
