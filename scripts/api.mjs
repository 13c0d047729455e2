// `npm run api`: builds the library, and writes the reports of the packages' exports (packages/*/api/) and the
// API reference (docs/api/).

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "./build.mjs";
import { root } from "./lib/root.mjs";

if (await build()) {
  const { entries } = await import("./api/surface.mjs");
  const { makeReport, readReport } = await import("./api/report.mjs");
  for (const entry of entries) {
    const text = await makeReport(entry);
    const isNew = text !== readReport(entry);
    mkdirSync(dirname(join(root, entry.report)), { recursive: true });
    writeFileSync(join(root, entry.report), text);
    console.log(`${entry.report}: ${isNew ? "written anew" : "as it was"}`);
  }
  const { makeReference, referenceFolder, writeReference } = await import("./api/reference.mjs");
  const pages = await makeReference();
  writeReference(pages);
  console.log(`${referenceFolder}: ${pages.size} pages`);
} else {
  process.exitCode = 1;
}
