import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

test("I1: a connection works on any transport, without a module or a global of Node", async () => {
  const scene = fileURLToPath(new URL("without-node.js", import.meta.url));
  const { stdout } = await run(process.execPath, [scene], { timeout: 60_000 });
  assert.deepEqual(JSON.parse(stdout), {
    log: [
      "ping",
      "start",
      "text hello",
      "binary 1 2 3",
      "text fragment 111 110 101, first",
      "text fragment 116 119 111, last",
      "ping",
      "close 1001, urgent",
      "destroy",
    ],
    seen: ["welcome", [4, 5], true, true],
    message: "received 1001 (going away) bye; then sent 1001 (going away) bye",
    cause: "peer-close",
    sent: 3,
  });
});
