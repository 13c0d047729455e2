// Tests the driver against a third-party fuzzing server.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { activeResources, assertNothingLeft } from "holdfast-testkit";
import { runCases } from "./client-driver.js";
import { allCases } from "./stand-in/cases.js";
import { FuzzingServer, type FuzzingCase } from "./stand-in/fuzzing-server.js";

const COMMAND = { agent: "Holdfast", cases: null, caseTimeout: 120_000, isCompressing: true };

test("The driver passes the cases of a fuzzing server on ws: fragments, pings, 16 MiB, every window", async (t) => {
  const before = activeResources();
  await passAll(t);
  await assertNothingLeft(before);
});

async function passAll(t: TestContext): Promise<void> {
  const cases = allCases();
  await using server = await FuzzingServer.start(cases);
  const lines: string[] = [];
  const start = performance.now();
  const result = await runCases({ ...COMMAND, url: server.url }, (line) => lines.push(line));
  t.diagnostic(`${cases.length} cases in ${Math.round(performance.now() - start)} ms`);
  assert.deepEqual(
    lines,
    cases.map((_, index) => `case ${index + 1} of ${cases.length}: OK`),
  );
  assert.deepEqual(result, { run: cases.length, failures: [] });
  assert.deepEqual(server.asked, [
    "/getCaseCount",
    ...cases.flatMap(() => ["/runCase", "/getCaseStatus"]),
    "/updateReports",
  ]);
}

test("The driver reports the cases that failed according to the fuzzing server", async () => {
  const failing: FuzzingCase = {
    name: "a case that always fails",
    compression: false,
    run: () => Promise.reject(new Error("no such luck")),
  };
  await using server = await FuzzingServer.start([failing]);
  const reason = "FAILED: Error: no such luck";
  assert.deepEqual(await runCases({ ...COMMAND, url: server.url }, () => undefined), {
    run: 1,
    failures: [{ case: 1, reason }],
  });
});
