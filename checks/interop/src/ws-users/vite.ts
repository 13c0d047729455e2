// Vite ships a copy of `ws` in its bundle, which no override reaches. A hook of the module loader replaces its server,
// in a separate process; the rest is Vite unchanged.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { WsUser } from "./user.js";

/** Runs the program, which prints a line for each observation. */
async function run(what: "endings" | "messages"): Promise<readonly string[]> {
  const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(
    process.execPath,
    ["--import", pathOf("vite-hook.js"), pathOf("vite-program.js"), what],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, "close")) as [number];
  assert.equal(status, 0, stderr);
  return stdout.trim().split("\n");
}

export const vite: WsUser = {
  row: "Vite (HMR)",
  packageName: "vite",
  change: "none is possible: it bundles ws. The test replaces that copy",

  async messages() {
    const expected = [
      "on Holdfast: true",
      "connected",
      "custom: hello from the page",
      "full-reload or update",
    ];
    assert.deepEqual(await run("messages"), expected);
  },

  async endings() {
    assert.deepEqual(await run("endings"), [
      "on Holdfast: true",
      "connected",
      "client gone",
      "server closed: 1006",
    ]);
  },
};
