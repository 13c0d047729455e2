// Lists the files below a folder.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.mjs";

/** Every file below `folder` (relative to the root), as sorted paths relative to the root with forward slashes. */
export function filesBelow(folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
  const files = entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
  return files.sort();
}
