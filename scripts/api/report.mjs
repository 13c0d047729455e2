// The report of an entry's exports. It is committed, so that a review shows what changes for users.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { root } from "../lib/root.mjs";
import { readSurface } from "./surface.mjs";

/** Generates the report of this entry. */
export async function makeReport({ name, types, report }) {
  const { exports, hidden } = readSurface(types);
  const path = join(root, report);
  const text = [
    `# Exports of \`${name}\``,
    "Written by `npm run api`. Do not edit: change the library, and look at what changes here.",
    block(exports),
    "## Not exported",
    "What the declarations above name or inherit, and users therefore see, but cannot import.",
    block(hidden),
  ].join("\n\n");
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

function block(declared) {
  return ["```ts no-check", ...declared.map(({ text }) => `${text}\n`), "```"].join("\n");
}

/** Reads the committed report; empty if there is none yet. */
export function readReport({ report }) {
  try {
    return readFileSync(join(root, report), "utf8").replaceAll("\r\n", "\n");
  } catch (error) {
    if (error.code === "ENOENT") return "";
    throw error;
  }
}
