// `npm test`: installs, builds and runs every test that this machine can run, then reports the skipped tests
// with their reasons.
//
//   npm test                                   everything
//   npm test -- C8                             the tests of one promise (docs/promises.md)
//   npm test -- "full write buffer"            the tests with these words in their title
//   npm test -- packages/holdfast/test/heartbeat/   the files below a path, or one file
//
// If CI is set, a skipped test is a failure, unless HOLDFAST_ALLOW_SKIPS is set too.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { filesBelow } from "./lib/files.mjs";
import { projects } from "./lib/projects.mjs";
import { forgetProxies } from "./lib/proxies.mjs";
import { root } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";
import { groupFiles, inOrder } from "./lib/test-groups.mjs";

process.exitCode = (await build()) ? await test(process.argv.slice(2)) : 1;

async function test(filters) {
  const isPath = (filter) => filter.includes("/") || filter.includes("\\") || /\.test\b/.test(filter);
  const files = testFiles(filters.filter(isPath));
  if (files.length === 0) return fail(`No test file matches ${filters.filter(isPath).join(", ")}.`);

  const { status, counts, ran, omissions } = await runNode(
    files,
    filters.filter((filter) => !isPath(filter)),
  );
  report(omissions);
  const verdict = status === 0 && ran === 0 ? fail("No test was run.") : judge(status, omissions);
  // The last line, for people and for programs. Cancelled tests count as failed: they did not pass.
  const failed = (counts.fail ?? 0) + (counts.cancelled ?? 0);
  console.log(
    `# tests ${counts.tests ?? 0} # pass ${counts.pass ?? 0} # fail ${failed} # skipped ${counts.skipped ?? 0}`,
  );
  return verdict;
}

/**
 * The files to pass to Node: compiled tests, and the tests of these scripts. Node 20 does not expand patterns
 * itself.
 */
function testFiles(paths) {
  const compiled = projects.flatMap(({ source, output }) =>
    filesBelow(output)
      .filter((path) => path.endsWith(".test.js"))
      .map((path) => ({ path, source: path.replace(output, source).replace(/\.js$/, ".ts") })),
  );
  const plain = filesBelow("scripts")
    .filter((path) => path.endsWith(".test.mjs"))
    .map((path) => ({ path, source: path }));
  const wanted = paths.map((path) =>
    path
      .replaceAll("\\", "/")
      .replace(`${root.replaceAll("\\", "/")}/`, "")
      .replace(/^\.\//, ""),
  );
  const isWanted = (file) =>
    wanted.length === 0 || wanted.some((part) => file.path.includes(part) || file.source.includes(part));
  return [...compiled, ...plain].filter(isWanted).map((file) => file.path);
}

/** Runs the files and resolves with what scripts/lib/test-collector.mjs saw. */
async function runNode(files, names) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  const journal = join(folder, "journal");
  const plan = {
    files: groupFiles(inOrder(files), folder),
    concurrency: processesAtOnce(),
    // Of a file; in Node 24, of each test. scripts/lib/test-watchdog.mjs is earlier.
    timeout: 900_000,
    names: names.map(namePattern),
    journal,
  };
  forgetProxies();
  try {
    const status = await run(process.execPath, [
      `--import=${pathToFileURL(join(root, "scripts/lib/test-watchdog.mjs"))}`,
      join(root, "scripts/lib/test-run.mjs"),
      JSON.stringify(plan),
    ]);
    const lines = readFileSync(journal, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((text) => JSON.parse(text));
    const counts = Object.fromEntries(
      lines.filter((line) => "word" in line).map(({ word, count }) => [word, count]),
    );
    return {
      status,
      counts,
      ran: lines.filter((line) => "ran" in line).length,
      omissions: lines.filter((line) => "reason" in line),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * More than there are cores: most files wait for more than half of their time. Fewer on a machine that is busy already:
 * some tests expect that another process answers within a second or two.
 */
function processesAtOnce() {
  const cores = availableParallelism();
  const isBusy = loadavg()[0] > 2 * cores;
  return isBusy ? Math.max(4, 2 * cores) : Math.max(4, 3 * cores);
}

/**
 * The id of a promise matches as a word (C1 does not match C10); any other text matches anywhere, literally.
 */
function namePattern(name) {
  const literal = name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return /^[A-P]\d+$/.test(name) ? `/\\b${literal}\\b/` : `/${literal}/i`;
}

function report(omissions) {
  if (omissions.length === 0) return;
  console.log(
    `\nNot run: ${omissions.length}. scripts/install-peers.sh installs the programs that tests need (Debian).`,
  );
  const byReason = new Map();
  for (const omission of omissions)
    byReason.set(omission.reason, [...(byReason.get(omission.reason) ?? []), omission]);
  for (const [reason, all] of byReason) {
    console.log(`  ${reason}: ${all.length}`);
    for (const { name, file } of all) {
      const place = file === null ? "" : ` (${relative(root, file).replaceAll("\\", "/")})`;
      console.log(`    ﹣ ${name}${place}`);
    }
  }
  console.log("");
}

function judge(status, omissions) {
  const isStrict = isSet("CI") && !isSet("HOLDFAST_ALLOW_SKIPS");
  if (status === 0 && omissions.length > 0 && isStrict)
    return fail("In CI a test that is not run is a failure.");
  return status;
}

function isSet(variable) {
  return !["", "0", "false"].includes(process.env[variable] ?? "");
}

function fail(message) {
  console.error(message);
  return 1;
}
