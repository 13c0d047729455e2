import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

test("B7: if the package `socks` is not installed, the error says what to install, before any I/O", async () => {
  // A copy of the library in a folder without packages.
  const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
  try {
    await cp(fileURLToPath(new URL("../../dist", import.meta.url)), join(folder, "dist"), {
      recursive: true,
    });
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    const script = `
      import { connect } from ${JSON.stringify(pathToFileURL(join(folder, "dist/index.js")).href)};
      await connect("ws://127.0.0.1:1/", { proxy: "socks5://user:s3cret@127.0.0.1:1" }).catch((error) => {
        console.log(JSON.stringify([error.name, error.failure, error.message, error.cause?.code]));
      });`;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: folder,
      timeout: 20_000,
    });
    assert.deepEqual(JSON.parse((await run).stdout), [
      "ProxyError",
      "proxy",
      'The proxy socks5://127.0.0.1:1 needs the package "socks", which is not installed here (on the way to ws://127.0.0.1:1/). Run `npm install socks`.',
      "ERR_MODULE_NOT_FOUND",
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
