// The package's exports match the committed reports, and are documented.

import assert from "node:assert/strict";
import { test } from "node:test";
import { untestedOptions } from "./option-types.mjs";
import { makeReference, readReference } from "./reference.mjs";
import { makeReport, readReport } from "./report.mjs";
import { entries, readSurface } from "./surface.mjs";

for (const entry of entries) {
  test(`API: the exports of ${entry.name} are those of ${entry.report}; where a change is meant, run npm run api`, async () => {
    assert.equal(await makeReport(entry), readReport(entry));
  });

  test(`API: every export of ${entry.name} has a doc comment`, () => {
    assert.deepEqual(readSurface(entry.types).undocumented, []);
  });
}

test("API: every option of every exported …Options has a type test", () => {
  assert.deepEqual(untestedOptions(), []);
});

test("API: the pages of docs/api/ are those of the doc comments; where a change is meant, run npm run api", async () => {
  const [made, committed] = [await makeReference(), readReference()];
  assert.deepEqual([...committed.keys()].sort(), [...made.keys()].sort());
  const stale = [...made].filter(([path, text]) => text !== committed.get(path)).map(([path]) => path);
  assert.deepEqual(stale, []);
});
