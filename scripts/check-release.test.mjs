// A release with contradictions is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { objections, published } from "./check-release.mjs";
import { isPlaceholder, publisher, repositoryAddress } from "./package/publisher.mjs";

const addresses = {
  repository: { type: "git", url: "git+https://example.com/holdfast.git" },
  homepage: "https://example.com/holdfast#readme",
  bugs: { url: "https://example.com/holdfast/issues" },
};

const fit = {
  tag: "v1.2.0",
  versions: Object.fromEntries(published.map((path) => [path, "1.2.0"])),
  addresses,
  changelog: "# Changelog\n\n## [1.2.0]\n\n- New.\n",
};

test("Release: tag, packages, addresses and changelog agree", () => {
  assert.deepEqual(objections(fit), []);
});

for (const [what, change] of [
  ["another tag", { tag: "v1.2.1" }],
  ["a package with another version", { versions: { ...fit.versions, "packages/ws": "1.1.0" } }],
  ["no repository", { addresses: { ...addresses, repository: undefined } }],
  [
    "a placeholder as owner",
    { addresses: { ...addresses, bugs: { url: "https://example.com/OWNER/issues" } } },
  ],
  ["no section in the changelog", { changelog: "# Changelog\n\n## [Unreleased]\n" }],
]) {
  test(`Release: ${what} is refused`, () => {
    assert.equal(objections({ ...fit, ...change }).length, 1);
  });
}

test("Release: the addresses of the root are complete, and its placeholder is known as one", () => {
  const here = publisher();
  assert.match(here.repository.url, /^git\+https:\/\/.+\.git$/);
  assert.equal(isPlaceholder(here), repositoryAddress(here) === null);
  assert.equal(repositoryAddress(addresses), "https://example.com/holdfast");
});
