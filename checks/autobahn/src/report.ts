// Reads the index.json that the testsuite writes beside its HTML pages.

/** A case that did not pass: its id, such as `6.4.1`, and the testsuite's result. */
export interface FailedCase {
  readonly agent: string;
  readonly id: string;
  readonly behavior: string;
  readonly behaviorClose: string;
}

export interface ReportSummary {
  readonly cases: number;
  readonly failed: readonly FailedCase[];
}

/**
 * Results that are no failures. RFC 6455 leaves some behaviour open, and the testsuite does not try all
 * cases.
 */
const PASSED: ReadonlySet<string> = new Set(["OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"]);

/** @throws Error if the text is not a report */
export function readReport(text: string): ReportSummary {
  const agents: unknown = JSON.parse(text);
  if (typeof agents !== "object" || agents === null) throw new Error("Expected a report of the testsuite");
  let cases = 0;
  const failed: FailedCase[] = [];
  for (const [agent, results] of Object.entries(agents) as [string, unknown][]) {
    for (const [id, result] of Object.entries(results ?? {}) as [string, Partial<FailedCase> | null][]) {
      cases++;
      const { behavior = "missing", behaviorClose = "missing" } = result ?? {};
      if (PASSED.has(behavior) && PASSED.has(behaviorClose)) continue;
      failed.push({ agent, id, behavior, behaviorClose });
    }
  }
  return { cases, failed };
}
