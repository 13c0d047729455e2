// Tests docs/testing.md: each of its programs runs in its test runner.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { test } from "node:test";
import { root } from "../lib/root.mjs";
import { capture } from "../lib/run.mjs";
import { transpile } from "./compile.mjs";
import { parse } from "./pages.mjs";

const page = parse("docs/testing.md", readFileSync(join(root, "docs/testing.md"), "utf8"));
const { resolve } = createRequire(join(root, "examples/package.json"));

/**
 * Calls `run` with a folder that contains the block of this name as a file; it is below the root so that
 * packages resolve.
 */
async function withFile(name, run) {
  const block = page.blocks.find(({ flags }) => flags.includes(`file=${name}`));
  assert.ok(block, `docs/testing.md has no block file=${name}`);
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache", "testing-page-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "type": "module", "jest": { "transform": {} } }');
    writeFileSync(join(folder, name), block.code);
    const { status, stdout, stderr } = await run(folder, block);
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    return stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The path of a file in a package, to run with Node. */
const program = (name, file) => join(dirname(resolve(`${name}/package.json`)), file);

/** Removes the variables that this test runner sets for its child processes. */
const environment = () => ({ ...process.env, NODE_TEST_CONTEXT: undefined });

test("C20: the program of the page for node:test passes", { timeout: 120_000 }, async () => {
  const output = await withFile("node.test.ts", (folder, { code }) => {
    writeFileSync(join(folder, "node.test.mjs"), transpile(code));
    return capture(process.execPath, ["--test", "node.test.mjs"], { cwd: folder, env: environment() });
  });
  assert.match(output, /pass 1\b/);
});

test("C20: the program of the page for Vitest passes", { timeout: 120_000 }, async () => {
  const output = await withFile("vitest.test.ts", (folder) =>
    capture(process.execPath, [program("vitest", "vitest.mjs"), "run", "--root", folder], {
      cwd: folder,
      env: environment(),
    }),
  );
  assert.match(output, /1 passed/);
});

test("C20: the program of the page for Jest passes", { timeout: 120_000 }, async () => {
  const output = await withFile("jest.test.js", (folder) =>
    capture(
      process.execPath,
      ["--experimental-vm-modules", program("jest", "bin/jest.js"), "--rootDir", folder, "--watchman=false"],
      { cwd: folder, env: environment() },
    ),
  );
  assert.match(output, /1 passed/);
});

test(
  "C20: the program of the page for FakeClock.install() runs in Vitest and Jest too",
  { timeout: 120_000 },
  async () => {
    const block = page.blocks.find(({ code }) => code.includes("clock.install()"));
    assert.ok(block);
    const folder = mkdtempSync(join(root, ".cache", "testing-page-"));
    try {
      writeFileSync(join(folder, "package.json"), '{ "type": "module", "jest": { "transform": {} } }');
      const lines = transpile(block.code).split("\n");
      const [imports, rest] = [true, false].map((isImport) =>
        lines.filter((line) => line.startsWith("import ") === isImport).join("\n"),
      );
      for (const [name, from] of [
        ["vitest", "vitest"],
        ["jest", "@jest/globals"],
      ]) {
        const text = `import { test } from "${from}";\n${imports}\ntest("the program", async () => {\n${rest}\n});\n`;
        writeFileSync(join(folder, `${name}.test.js`), text);
      }
      const jest = ["--experimental-vm-modules", program("jest", "bin/jest.js"), "--rootDir", folder];
      for (const command of [
        [program("vitest", "vitest.mjs"), "run", "--root", folder, "vitest.test.js"],
        [...jest, "--watchman=false", "jest.test.js"],
      ]) {
        const options = { cwd: folder, env: environment() };
        const { status, stdout, stderr } = await capture(process.execPath, command, options);
        assert.equal(status, 0, `${stdout}\n${stderr}`);
        assert.match(stdout + stderr, /session expired/);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
