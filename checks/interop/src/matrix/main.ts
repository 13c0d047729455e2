// `npm run interop:table`: runs the tests and writes the results into MATRIX.md, and a summary into the
// README. `--check <journal>` compares the table with an earlier run, whose journal HOLDFAST_INTEROP_JOURNAL
// named, and ignores versions.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { JOURNAL, readJournal } from "./journal.js";
import { comparable, renderTables } from "./render.js";
import { Results } from "./results.js";
import { withSummary } from "./summary.js";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const target = join(root, "checks/interop/MATRIX.md");
const readme = join(root, "README.md");

const [mode, path] = process.argv.slice(2);
if (mode === "--check" && path !== undefined) process.exitCode = check(path);
else process.exitCode = await make();

async function make(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-interop-"));
  try {
    const journal = join(folder, "journal");
    // Not the tests of this folder: one of them compares the table that this run replaces.
    const tests = readdirSync(join(root, "checks/interop/src")).filter((name) => name.endsWith(".test.ts"));
    const paths = tests.map((name) => `checks/interop/src/${name}`);
    const { status } = spawnSync(process.execPath, ["scripts/test.mjs", ...paths], {
      cwd: root,
      env: { ...process.env, [JOURNAL]: journal },
      stdio: "inherit",
    });
    if (!existsSync(journal)) return status ?? 1;
    const text = renderTables(new Results(readJournal(journal)));
    await write(target, text);
    await write(readme, withSummary(readFileSync(readme, "utf8"), text));
    return status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function write(file: string, text: string): Promise<void> {
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
  console.log(`Written: ${file}`);
}

function check(journal: string): number {
  const committed = comparable(readFileSync(target, "utf8"));
  const found = comparable(renderTables(new Results(readJournal(journal))));
  const differences = [
    ...committed.filter((row) => !found.includes(row)).map((row) => `- ${row}`),
    ...found.filter((row) => !committed.includes(row)).map((row) => `+ ${row}`),
  ];
  if (differences.length === 0) return 0;
  console.error(
    ["checks/interop/MATRIX.md is not what the tests say. Run `npm run interop:table`.", ...differences].join(
      "\n",
    ),
  );
  return 1;
}
