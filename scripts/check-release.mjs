// `node scripts/check-release.mjs v0.2.0`: checks that this commit may be released as that version. The tag, the
// packages and the changelog have to agree, the addresses have to be real, and the commit has to be on main.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMain } from "./lib/main.mjs";
import { root } from "./lib/root.mjs";
import { capture } from "./lib/run.mjs";
import { isPlaceholder, publisher } from "./package/publisher.mjs";

/** The published packages, in the order in which they are published: the others need the first. */
export const published = ["packages/holdfast", "packages/redis", "packages/nats", "packages/ws"];

/**
 * Reasons against the release; empty if there are none.
 *
 * @param {{ tag: string, versions: Record<string, string>, addresses: object, changelog: string }} release
 */
export function objections({ tag, versions, addresses, changelog }) {
  const version = versions[published[0]];
  const others = Object.entries(versions).filter(([, each]) => each !== version);
  return [
    tag === `v${version}`
      ? []
      : [`Expected the tag v${version}, as ${published[0]}/package.json says, got ${tag}`],
    others.map(([path, each]) => `Expected the version ${version} in ${path}/package.json, got ${each}`),
    isPlaceholder(addresses)
      ? [
          "Expected real `repository`, `homepage` and `bugs` in package.json, got a placeholder: npm ties the provenance to them",
        ]
      : [],
    changelog.includes(`\n## [${version}]`) ? [] : [`Expected a section "## [${version}]" in CHANGELOG.md`],
  ].flat();
}

/** The objections to releasing this working tree. */
export async function objectionsHere(tag) {
  const read = (path) => readFileSync(join(root, path), "utf8");
  const versions = Object.fromEntries(
    published.map((path) => [path, JSON.parse(read(`${path}/package.json`)).version]),
  );
  const found = objections({ tag, versions, addresses: publisher(), changelog: read("CHANGELOG.md") });
  const { status } = await capture("git", ["merge-base", "--is-ancestor", "HEAD", "origin/main"]);
  return status === 0 ? found : [...found, "Expected a commit of main"];
}

if (isMain(import.meta.url)) {
  const found = await objectionsHere(process.argv[2]);
  for (const objection of found) console.error(objection);
  process.exitCode = found.length === 0 ? 0 : 1;
}
