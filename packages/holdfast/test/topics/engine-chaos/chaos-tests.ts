// The chaos test of an engine: quick for the suite, and as large as wanted for a program.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArgs } from "node:util";
import { slowness } from "holdfast-testkit";
import { runChaos, type ChaosBackend, type ChaosOptions } from "./chaos.js";

const SMALL: ChaosOptions = {
  seconds: 7,
  clients: 60,
  topics: 30,
  rate: 50,
  processKills: 3,
  // Often, but not before those of a busy machine are there again.
  subscriptionKills: Math.min(3, slowness()),
  serverKills: 0,
};

/**
 * @param server the name of what is killed
 * @param faults what happens to processes and subscriptions, for the title
 * @param skip why the test cannot run; false if it can
 */
export function testChaos(
  { server, faults, skip }: { server: string; faults: string; skip: string | false },
  openBackend: () => Promise<ChaosBackend>,
): void {
  test(`M2: while ${faults}, every subscriber gets each message once`, { skip }, async (t) => {
    const result = await runChaos(openBackend, SMALL);
    t.diagnostic(JSON.stringify(result));
    const { lost, repeated, conflicts, gaps, stuck } = result;
    assert.deepEqual(
      { lost, repeated, conflicts, gaps, stuck },
      { lost: 0, repeated: 0, conflicts: 0, gaps: 0, stuck: 0 },
    );
  });

  test(`M3: while ${server} is killed as well, what is missing is a gap`, { skip }, async (t) => {
    const result = await runChaos(openBackend, { ...SMALL, seconds: 8, serverKills: 3 });
    t.diagnostic(JSON.stringify(result));
    const { lost, repeated, conflicts, stuck } = result;
    assert.deepEqual({ lost, repeated, conflicts, stuck }, { lost: 0, repeated: 0, conflicts: 0, stuck: 0 });
    assert.ok(result.kills.servers > 0 && result.gaps > 0);
  });
}

const LARGE: ChaosOptions = {
  seconds: 60,
  clients: 1_000,
  topics: 50,
  rate: 100,
  processKills: 10,
  subscriptionKills: 1,
  serverKills: 20,
};

/** Runs it with the options of the command line, prints what came out, and sets the exit code. */
export async function runFromCommandLine(openBackend: () => Promise<ChaosBackend>): Promise<void> {
  const { values } = parseArgs({
    options: Object.fromEntries(Object.keys(LARGE).map((name) => [name, { type: "string" as const }])),
  });
  const given = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Number(text)]));
  const result = await runChaos(openBackend, { ...LARGE, ...given });
  console.log(JSON.stringify(result, null, 2));
  process.exitCode = result.lost + result.repeated + result.conflicts + result.stuck > 0 ? 1 : 0;
}
