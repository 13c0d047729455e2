// The addresses of the project: `repository`, `homepage` and `bugs` of the root's package.json, the only place that
// names them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.mjs";

/** Stands for the owner until there is one. */
export const PLACEHOLDER = "OWNER";

/** @returns {{ repository: { type: string, url: string }, homepage: string, bugs: { url: string } }} */
export function publisher() {
  const { repository, homepage, bugs } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return { repository, homepage, bugs };
}

/** The start page of the repository; null while its owner is a placeholder. */
export function repositoryAddress({ repository } = publisher()) {
  if (repository.url.includes(PLACEHOLDER)) return null;
  return repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
}
