import assert from "node:assert/strict";
import { test } from "node:test";
import { Program } from "./program.js";

test("Examples, E4: upload sends 50 MB as one message in flat memory, with progress, and can be paused", async () => {
  await using upload = new Program("upload");
  await upload.prints(/^received 5 of 50 MB$/m);
  upload.type("pause");
  await upload.prints(/^paused$/m);
  upload.type("resume");
  await upload.prints(/^resumed$/m);
  const { status, output, errors } = await upload.ended;
  assert.deepEqual([status, errors], [0, ""], output);
  assert.match(output, /^received 50 of 50 MB\nThe server has the same data\.$/m);
  const [, megabytes] = /^Memory: (-?[\d.]+) MB more/m.exec(output) ?? [];
  // Both ends are in one process, whose heap grows and shrinks; a message in memory would take 50 MB at each of them. A
  // busy machine collects garbage late.
  assert.ok(Number(megabytes) < 95, output);
});
