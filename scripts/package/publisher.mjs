// The addresses of the project: `repository`, `homepage` and `bugs` of the root's package.json, the only place that
// names them. A release copies them into the packages.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.mjs";

/** Stands for the owner until there is one. The build accepts it, a release does not. */
export const PLACEHOLDER = "OWNER";

/** @returns {{ repository: { type: string, url: string }, homepage: string, bugs: { url: string } }} */
export function publisher() {
  const { repository, homepage, bugs } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return { repository, homepage, bugs };
}

/** Whether an address is missing, or still contains the placeholder. */
export function isPlaceholder({ repository, homepage, bugs }) {
  return [repository?.url, homepage, bugs?.url].some((url) => !url || url.includes(PLACEHOLDER));
}

/** The start page of the repository; null while its owner is a placeholder. */
export function repositoryAddress(addresses = publisher()) {
  if (isPlaceholder(addresses)) return null;
  return addresses.repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
}

/**
 * Adds the addresses to the manifest of a package.
 *
 * @param {string} directory of the package, relative to the root
 * @returns {() => void} restores the manifest
 */
export function stamp(directory, { repository, homepage, bugs } = publisher()) {
  const path = join(root, directory, "package.json");
  const before = readFileSync(path, "utf8");
  const manifest = { ...JSON.parse(before), homepage, bugs, repository: { ...repository, directory } };
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
  return () => writeFileSync(path, before);
}
