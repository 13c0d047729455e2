// `node scripts/check-release.mjs v0.2.0`: checks that this commit may be released as that version. The tag,
// the package and the changelog have to agree, and the commit has to be on main.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMain } from "./lib/main.mjs";
import { root } from "./lib/root.mjs";
import { capture } from "./lib/run.mjs";

/** Reasons against the release; empty if there are none. */
export function objections({ tag, version, repository, changelog }) {
  return [
    tag === `v${version}`
      ? []
      : [`Expected the tag v${version}, as packages/holdfast/package.json says, got ${tag}`],
    repository === undefined ? ["Expected `repository` in package.json: npm ties the provenance to it"] : [],
    changelog.includes(`\n## [${version}]`) ? [] : [`Expected a section "## [${version}]" in CHANGELOG.md`],
  ].flat();
}

if (isMain(import.meta.url)) {
  const { version, repository } = JSON.parse(
    readFileSync(join(root, "packages/holdfast/package.json"), "utf8"),
  );
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const found = objections({ tag: process.argv[2], version, repository, changelog });
  const { status } = await capture("git", ["merge-base", "--is-ancestor", "HEAD", "origin/main"]);
  if (status !== 0) found.push("Expected a commit of main");
  for (const objection of found) console.error(objection);
  process.exitCode = found.length === 0 ? 0 : 1;
}
