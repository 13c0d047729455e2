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

/** On a busy machine, loading the library takes longer than the 5 s that both runners give a test. */
const PATIENT = ["--testTimeout=120000"];

/** The commands that run the tests in a folder. */
const RUNNERS = [
  {
    name: "Vitest",
    from: "vitest",
    file: "vitest.test.ts",
    command: (folder) => [program("vitest", "vitest.mjs"), "run", "--root", folder, ...PATIENT],
    passed: /2 passed/,
  },
  {
    name: "Jest",
    from: "@jest/globals",
    file: "jest.test.js",
    command: (folder) => [
      ...["--experimental-vm-modules", program("jest", "bin/jest.js"), "--rootDir", folder],
      ...["--watchman=false", "--runInBand", ...PATIENT],
    ],
    passed: /2 passed/,
  },
];

for (const { name, from, file, command, passed } of RUNNERS) {
  const title = `C20: the program of the page for ${name} passes, and so does that for FakeClock.install()`;
  test(title, { timeout: 300_000 }, async () => {
    const output = await withFile(file, (folder) => {
      writeFileSync(join(folder, "installed.test.js"), installedClock(from));
      return capture(process.execPath, command(folder), { cwd: folder, env: environment() });
    });
    assert.match(output, passed);
    assert.match(output, /session expired/);
  });
}

/** The program of the page for `FakeClock.install()`, as a test. */
function installedClock(from) {
  const block = page.blocks.find(({ code }) => code.includes("clock.install()"));
  assert.ok(block);
  const lines = transpile(block.code).split("\n");
  const [imports, rest] = [true, false].map((isImport) =>
    lines.filter((line) => line.startsWith("import ") === isImport).join("\n"),
  );
  return `import { test } from "${from}";\n${imports}\ntest("the program", async () => {\n${rest}\n});\n`;
}
