// The version of an npm package, even if it does not export its package.json.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Null if it is not installed. */
export function installedVersion(name: string): string | null {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const path = folders.map((folder) => join(folder, name, "package.json")).find((file) => existsSync(file));
  if (path === undefined) return null;
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version; // npm requires a version.
}
