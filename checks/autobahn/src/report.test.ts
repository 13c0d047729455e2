import assert from "node:assert/strict";
import { test } from "node:test";
import { readReport } from "./report.js";

test("A report is judged by how its cases behaved and closed", () => {
  const report = {
    Holdfast: {
      "1.1.1": { behavior: "OK", behaviorClose: "OK", duration: 3 },
      "6.4.1": { behavior: "NON-STRICT", behaviorClose: "OK" },
      "7.1.6": { behavior: "INFORMATIONAL", behaviorClose: "INFORMATIONAL" },
      "7.9.1": { behavior: "OK", behaviorClose: "WRONG CODE" },
      "9.1.1": { behavior: "FAILED", behaviorClose: "OK" },
      "12.1.1": { behavior: "UNIMPLEMENTED", behaviorClose: "OK" },
      "13.1.1": {},
    },
  };
  assert.deepEqual(readReport(JSON.stringify(report)), {
    cases: 7,
    failed: [
      { agent: "Holdfast", id: "7.9.1", behavior: "OK", behaviorClose: "WRONG CODE" },
      { agent: "Holdfast", id: "9.1.1", behavior: "FAILED", behaviorClose: "OK" },
      { agent: "Holdfast", id: "13.1.1", behavior: "missing", behaviorClose: "missing" },
    ],
  });
  assert.throws(() => readReport("5"), { message: "Expected a report of the testsuite" });
});
