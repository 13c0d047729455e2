import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withTimeout } from "holdfast-testkit";

test("G6: the workers of a cluster share one port, and one that closes leaves newcomers to the others", async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("cluster-program.js", import.meta.url))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  const exit = new Promise((resolve) => child.once("close", resolve));
  try {
    assert.equal(await withTimeout(exit, 30_000, "the cluster to end"), 0);
  } finally {
    child.kill("SIGKILL");
  }
  assert.deepEqual(JSON.parse(output), { isSamePort: true, both: 2, code: 1001, rest: 1, isOther: true });
});
