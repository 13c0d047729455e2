// A release with contradictions is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { objections } from "./check-release.mjs";

const fit = {
  tag: "v1.2.0",
  version: "1.2.0",
  repository: { type: "git", url: "git+https://example.com/holdfast.git" },
  changelog: "# Changelog\n\n## [1.2.0]\n\n- New.\n",
};

test("Release: tag, package and changelog agree", () => {
  assert.deepEqual(objections(fit), []);
});

for (const [what, change] of [
  ["another tag", { tag: "v1.2.1" }],
  ["no repository", { repository: undefined }],
  ["no section in the changelog", { changelog: "# Changelog\n\n## [Unreleased]\n" }],
]) {
  test(`Release: ${what} is refused`, () => {
    assert.equal(objections({ ...fit, ...change }).length, 1);
  });
}
