// `npm run docs`: builds the site. `npm run docs -- --serve --port=4173`: builds and serves it.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled } from "../scripts/ensure-installed.mjs";
import { filesBelow } from "../scripts/lib/files.mjs";
import { root } from "../scripts/lib/root.mjs";

const { values } = parseArgs({
  options: { serve: { type: "boolean", default: false }, port: { type: "string", default: "4173" } },
});
process.exitCode = await main();

async function main() {
  await ensureInstalled();
  const { stage } = await import("./pages.mjs");
  const { build, serve } = await import("vitepress");
  const { problems } = await import("./check.mjs");
  const site = join(root, "site");
  stage([...filesBelow("docs/images"), "bench/results.svg"]);
  await build(site); // Throws if a link between pages is dead.
  const found = await problems(join(site, "dist"), process.env.DOCS_BASE ?? "/");
  for (const problem of found) console.error(problem);
  if (found.length > 0) return 1;
  console.log(`Built ${join("site", "dist")}.`);
  if (values.serve) await serve({ root: site, port: Number(values.port) });
  return 0;
}
