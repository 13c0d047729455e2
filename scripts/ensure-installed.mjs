// Installs the dependencies if necessary. `npm start` and `npm test` call this first, so that they work in a
// clean clone, and need no network afterwards.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isMain } from "./lib/main.mjs";
import { root } from "./lib/root.mjs";
import { npm, run } from "./lib/run.mjs";

const modules = join(root, "node_modules");
const stamp = join(modules, ".holdfast-install");
/** Keeps the present node_modules while npm builds a new one: `npm ci` deletes first and downloads later. */
const refuge = join(root, ".cache", "previous-install");
/**
 * Some packages are built for one platform. A folder shared with a container or a virtual machine would mix
 * platforms.
 */
const platform = `${process.platform} ${process.arch}`;

/** Makes node_modules match package-lock.json. Throws if that is impossible and no usable one exists. */
export async function ensureInstalled() {
  requireNode(20);
  const lockfile = readJson(join(root, "package-lock.json"));
  if (isInstalled(lockfile)) return;

  console.log("Installing the development dependencies (once; the library itself has none) …");
  const parked = park(lockfile);
  // A retry takes ten seconds or more, which is too long for a user who is merely offline.
  const patience = parked.isUsable ? ["--fetch-retries=0"] : [];
  const [command, ...args] = npm("ci", "--prefer-offline", "--no-audit", "--no-fund", ...patience);
  const status = await run(command, args);
  if (status === 0) {
    parked.discard();
    writeFileSync(stamp, `${platform}\n`);
  } else if (parked.isUsable) {
    parked.restore();
    console.warn(
      "The installation failed. Continuing with the previous node_modules, which are out of date.",
    );
  } else {
    parked.restore();
    throw new Error(`npm ci failed (exit status ${status}): the first installation needs the npm registry.`);
  }
}

function requireNode(major) {
  if (Number.parseInt(process.versions.node, 10) >= major) return;
  throw new Error(`Holdfast needs Node.js ${major} or later; this is ${process.version}.`);
}

/** Compares with the lockfile that npm leaves in node_modules, so that manual installations count too. */
function isInstalled(lockfile) {
  const wanted = dependencies(lockfile);
  const present = dependencies(readJson(join(modules, ".package-lock.json")));
  if (wanted === null || present === null) return false;
  if (existsSync(stamp) && readFileSync(stamp, "utf8").trim() !== platform) return false;
  const isCurrent = ([path, { integrity, link, optional }]) =>
    path in present
      ? present[path].integrity === integrity && present[path].link === link
      : optional === true;
  return Object.entries(wanted).every(isCurrent) && Object.keys(present).every((path) => path in wanted);
}

/** The installed packages of a lockfile by path, without the workspaces themselves, which are linked. */
function dependencies(lockfile) {
  if (lockfile === null) return null;
  const inModules = ([path]) => path.includes("node_modules/");
  return Object.fromEntries(Object.entries(lockfile.packages).filter(inModules));
}

/** Moves the installed packages out of npm's way. Returns functions to restore and to delete them. */
function park(lockfile) {
  // Packages that an interrupted run moved away replace a missing node_modules.
  const places = modulesFolders(lockfile);
  const hasOwn = existsSync(modules);
  if (hasOwn) rmSync(refuge, { recursive: true, force: true });
  for (const [index, place] of places.entries()) {
    if (!hasOwn || !existsSync(place)) continue;
    mkdirSync(refuge, { recursive: true });
    renameSync(place, join(refuge, String(index)));
  }
  const discard = () => rmSync(refuge, { recursive: true, force: true });
  const restore = () => {
    for (const [index, place] of places.entries()) {
      const parked = join(refuge, String(index));
      if (!existsSync(parked)) continue;
      rmSync(place, { recursive: true, force: true });
      renameSync(parked, place);
    }
    discard();
  };
  return { isUsable: existsSync(join(refuge, "0", "typescript", "package.json")), restore, discard };
}

/** Every node_modules folder that the lockfile fills, the root's first. */
function modulesFolders(lockfile) {
  const nested = Object.keys(lockfile.packages)
    .filter((path) => path.includes("/node_modules/") && !path.startsWith("node_modules/"))
    .map((path) => join(root, path.slice(0, path.indexOf("/node_modules/")), "node_modules"));
  return [...new Set([modules, ...nested])].filter((path) => existsSync(dirname(path)));
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

if (isMain(import.meta.url)) await ensureInstalled();
