// Runs the cases of the testsuite's fuzzing server. Each case is a connection on which we echo until it ends.

import { connect, ConnectionClosed, type Connection, type ConnectOptions } from "holdfast";
import type { ClientCommand } from "./arguments.js";
import { echo } from "./echo-server.js";

/** How a case ended. The server judges whether it passed. */
export type CaseOutcome =
  | { readonly outcome: "ended"; readonly behavior: string | null }
  | { readonly outcome: "failed"; readonly reason: string }
  | { readonly outcome: "timed-out" };

export interface DriverResult {
  /** The number of cases that were run. */
  readonly run: number;
  /** Cases that never opened, never ended, or failed according to the server. */
  readonly failures: readonly { readonly case: number; readonly reason: string }[];
}

/**
 * Runs the cases one after another, then makes the server write its reports.
 *
 * @param tell called with a line about each case
 * @throws HoldfastError if the server cannot be reached, or does not report its number of cases
 */
export async function runCases(
  command: Omit<ClientCommand, "name">,
  tell: (line: string) => void,
): Promise<DriverResult> {
  const count = await caseCount(command);
  const [first, last] = command.cases ?? [1, count];
  const failures: { case: number; reason: string }[] = [];
  let run = 0;
  for (let number = first; number <= Math.min(last, count); number++) {
    run++;
    const result = await runCase(command, number);
    const text = describe(result, command.caseTimeout);
    tell(`case ${number} of ${count}: ${text}`);
    if (result.outcome !== "ended" || hasFailed(result.behavior))
      failures.push({ case: number, reason: text });
  }
  await updateReports(command);
  return { run, failures };
}

async function caseCount(command: Omit<ClientCommand, "name">): Promise<number> {
  await using connection = await connect(urlOf(command, "/getCaseCount"), optionsOf(command));
  const message = await connection.recv({ timeout: command.caseTimeout });
  const count = Number(message);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new Error(`Expected the number of cases, got ${JSON.stringify(String(message).slice(0, 80))}`);
}

/**
 * A case may end the connection in any way; only a connection that does not open or does not end is a
 * failure.
 */
async function runCase(command: Omit<ClientCommand, "name">, number: number): Promise<CaseOutcome> {
  try {
    const path = `/runCase?case=${number}&agent=${encodeURIComponent(command.agent)}`;
    const connection = await connect(urlOf(command, path), optionsOf(command));
    const hasEnded = endInTime(connection, command.caseTimeout);
    await echo(connection).catch((error: unknown) => {
      // A case may end the connection while we are sending.
      if (!(error instanceof ConnectionClosed)) throw error;
    });
    if (!(await hasEnded)) return { outcome: "timed-out" };
    return { outcome: "ended", behavior: await caseStatus(command, number) };
  } catch (error) {
    return { outcome: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The server's result for the case, such as OK; null if it reports none. */
async function caseStatus(command: Omit<ClientCommand, "name">, number: number): Promise<string | null> {
  const path = `/getCaseStatus?case=${number}&agent=${encodeURIComponent(command.agent)}`;
  try {
    await using connection = await connect(urlOf(command, path), optionsOf(command));
    const status: unknown = JSON.parse(String(await connection.recv({ timeout: command.caseTimeout })));
    const { behavior } = status as { readonly behavior?: unknown };
    return typeof behavior === "string" ? behavior : null;
  } catch {
    return null; // Some versions of the testsuite do not support this query.
  }
}

function hasFailed(behavior: string | null): boolean {
  return behavior !== null && /^(?:FAILED|UNCLEAN|WRONG CODE)/.test(behavior);
}

/** The server closes the connection once the reports are written. */
async function updateReports(command: Omit<ClientCommand, "name">): Promise<void> {
  const path = `/updateReports?agent=${encodeURIComponent(command.agent)}`;
  const connection = await connect(urlOf(command, path), optionsOf(command));
  if (await endInTime(connection, command.caseTimeout)) return;
  throw new Error(`Expected the reports to be written within ${command.caseTimeout} ms`);
}

/**
 * Resolves with true once the connection has ended; after `timeout` milliseconds, ends it and resolves with
 * false.
 */
async function endInTime(connection: Connection, timeout: number): Promise<boolean> {
  let isInTime = true;
  const timer = setTimeout(() => {
    isInTime = false;
    connection.terminate();
  }, timeout);
  await connection.closed;
  clearTimeout(timer);
  return isInTime;
}

function urlOf(command: Omit<ClientCommand, "name">, path: string): string {
  return command.url.replace(/\/+$/, "") + path;
}

function optionsOf(command: Omit<ClientCommand, "name">): ConnectOptions {
  return {
    maxMessageSize: null,
    closeTimeout: Math.min(command.caseTimeout, 10_000),
    pingInterval: null,
    ...(command.isCompressing ? { compression: true } : {}),
  };
}

function describe(result: CaseOutcome, caseTimeout: number): string {
  switch (result.outcome) {
    case "ended":
      return result.behavior ?? "ended";
    case "failed":
      return result.reason;
    case "timed-out":
      return `had not ended after ${caseTimeout} ms`;
  }
}
