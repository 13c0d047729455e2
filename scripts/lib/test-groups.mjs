// Divides test files into groups that share a process: starting one takes longer than most tests of a unit.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./root.mjs";

/**
 * The folders whose files take longest, in the order in which they start: what remains in the end are short files, so
 * that no core is idle while one long file runs.
 */
const longestFirst = [
  "packages/redis/",
  "packages/nats/",
  "checks/browser/",
  "examples/",
  "checks/",
  "bench/",
  "packages/holdfast/test-dist/server/",
  "packages/holdfast/test-dist/security/",
  "packages/holdfast/test-dist/transport/worker/",
];

/** These compile all the time, while others wait for most of theirs: no two of them start together. */
const busy = /^scripts\/|\/bundlers\.test\.js$|\/size\.test\.js$|\/surface\.test\.js$/;

/** Small enough that no group is the last one to end. */
const largest = 12;

/**
 * A file that shares a process, and its helpers, contain none of these: changes of the whole process, hooks of the whole
 * process, measurements of its memory or work, and exact counts of its resources.
 */
const isolating = [
  /\bprocess\.(?:on|once|emit|emitWarning|exit|exitCode|chdir|memoryUsage|cpuUsage|stdin|stdout|stderr)\b/,
  /\bprocess\.env(?!\["PATH"\])|\bprocess\.env\["PATH"\] =/,
  /\bglobalThis\b|\bmock\b|\bdiagnostics_channel\b/,
  /^(?:before|after)(?:Each)?\(/m,
  /\bprocessorTime\b|\bassertLinear\b|\bactiveResources\(\)\[|\bblockEventLoop\b|\bsetFlagsFromString\b/,
  /"node:(?:cluster|async_hooks)"/,
];

/**
 * Tests whose work is done by other programs, or in a page: their own process only waits, and may have any content but hooks
 * and listeners of all its tests. A browser's driver takes half a second to load. A few at a time, since each takes long.
 */
const waiting = {
  folders: ["checks/browser/", "checks/autobahn/", "packages/holdfast/test-dist/cli/"],
  largest: 4,
};
const disturbing = /^(?:before|after)(?:Each)?\(|\bprocess\.on\(/m;

/** Sorts files: the longest first, and the busy ones between the others. */
export function inOrder(files) {
  const rank = (file) => {
    const index = longestFirst.findIndex((folder) => file.startsWith(folder));
    return index === -1 ? longestFirst.length : index;
  };
  const sorted = files.filter((file) => !busy.test(file)).sort((one, other) => rank(one) - rank(other));
  for (const [index, file] of files.filter((each) => busy.test(each)).entries())
    sorted.splice(4 * index + 2, 0, file);
  return sorted;
}

/**
 * The groups of `files` (paths relative to the root), in their order, as files to run. A group of more than one
 * becomes a file in `folder` that imports them.
 */
export function groupFiles(files, folder) {
  const groups = [];
  for (const file of files) {
    const most = onlyWaits(file) ? waiting.largest : largest;
    const key = sharesProcess(file) ? keyOf(file) : file;
    const last = groups.findLast((group) => group.key === key && group.files.length < most);
    if (last === undefined) groups.push({ key, files: [file] });
    else last.files.push(file);
  }
  return groups.map(({ key, files }, index) => {
    if (files.length === 1) return join(root, files[0]);
    const path = join(folder, `${key.replaceAll("/", "-")}-${index}.test.mjs`);
    writeFileSync(path, files.map((file) => `import "${pathToFileURL(join(root, file))}";\n`).join(""));
    return path;
  });
}

function keyOf(file) {
  const folders = dirname(file).split("/");
  return folders.slice(0, file.startsWith("packages/") ? 4 : 3).join("/");
}

/** Whether a compiled test may run in one process with others. */
function sharesProcess(file) {
  if (onlyWaits(file)) return !busy.test(file) && !disturbing.test(readFileSync(join(root, file), "utf8"));
  return file.startsWith("packages/holdfast/") && isHarmless(join(root, file));
}

function onlyWaits(file) {
  return waiting.folders.some((folder) => file.startsWith(folder));
}

const known = new Map();

function isHarmless(path) {
  if (known.has(path)) return known.get(path);
  known.set(path, true); // Modules may import one another.
  const text = readFileSync(path, "utf8");
  const helpers = [...text.matchAll(/\bfrom "(\.\.?\/[^"]+)"/g)]
    .map(([, relative]) => join(dirname(path), relative))
    .filter((helper) => helper.includes("test-dist") && existsSync(helper));
  const result = isolating.every((pattern) => !pattern.test(text)) && helpers.every(isHarmless);
  known.set(path, result);
  return result;
}
