// The pages of the site: which file of the repository becomes which page, and the copies that VitePress reads.

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { filesBelow } from "../scripts/lib/files.mjs";
import { root } from "../scripts/lib/root.mjs";

/** Where VitePress reads, relative to the root. */
export const contentFolder = "site/content";

/** Pages from outside docs/. */
const others = {
  "site/index.md": "index.md",
  "CHANGELOG.md": "changelog.md",
  "SECURITY.md": "security-policy.md",
  "CONTRIBUTING.md": "contributing.md",
  "packages/redis/README.md": "packages/redis.md",
  "packages/nats/README.md": "packages/nats.md",
  "packages/ws/README.md": "packages/ws.md",
  "bench/RESULTS.md": "benchmarks.md",
  "checks/interop/MATRIX.md": "interoperability.md",
};

/** @returns {Map<string, string>} the path of each page in the site, by its path in the repository */
export function sitePages() {
  const docs = filesBelow("docs").filter((path) => path.endsWith(".md"));
  return new Map([...docs.map((path) => [path, pageOf(path)]), ...Object.entries(others)]);
}

/** A README is the first page of its folder, but the front page of the site is another one. */
function pageOf(path) {
  const page = posix.relative("docs", path);
  return page === "README.md" ? "overview.md" : page.replace(/(^|\/)README\.md$/, "$1index.md");
}

/** The path in the site of a picture. Names are unique, so one folder holds them all. */
export function sitePicture(path) {
  return `images/${posix.basename(path)}`;
}

/** Copies pages, pictures and the icon. `pictures` are paths in the repository. */
export function stage(pictures) {
  rmSync(join(root, contentFolder), { recursive: true, force: true });
  for (const [path, page] of sitePages()) {
    const text = readFileSync(join(root, path), "utf8");
    write(page, path === "site/index.md" ? text.replace(PROGRAM, firstProgram()) : text);
  }
  for (const path of pictures) copy(path, sitePicture(path));
  copy("site/public/icon.svg", "public/icon.svg");
}

const PROGRAM = "<!-- the first program of README.md -->";

/** The program at the top of the README, and what it prints. */
function firstProgram() {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [program, output] = readme.matchAll(/^```[^]*?^```$/gm);
  return `${program[0]}\n\n${output[0]}`;
}

function write(page, text) {
  writeFileSync(prepared(page), text);
}

function copy(path, page) {
  copyFileSync(join(root, path), prepared(page));
}

function prepared(page) {
  const file = join(root, contentFolder, page);
  mkdirSync(dirname(file), { recursive: true });
  return file;
}
