// Runs a restart with separate processes: one server, its successor, and many clients.

import type { ChildProcess } from "node:child_process";
import cluster from "node:cluster";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "holdfast-testkit";
import { end, start } from "../machine/processes.js";
import {
  nextReport,
  type ClientsReport,
  type CloseRequest,
  type Listening,
  type Ready,
  type Report,
  type ServerReport,
  type StopRequest,
} from "./messages.js";

export interface Restart {
  /**
   * How the successor gets the port. "shared": it listens before the old server closes (workers of
   * `node:cluster`, in all versions of Node.js; `reusePort` does the same from 22.12 on). "handed over": it
   * listens once the port is released.
   */
  readonly port: "handed over" | "shared";
  /** The close code that the old server sends. */
  readonly code: number;
  /** Milliseconds over which the old server spreads its Closes. */
  readonly spread: number;
}

export interface RestartSize {
  readonly clients: number;
  readonly processes: number;
  /** Milliseconds between two messages of a client, and between two broadcasts. */
  readonly interval: number;
}

export interface RestartResult {
  readonly toServer: Delivery;
  readonly toClients: Delivery;
  /** Sends of clients that failed with an error. */
  readonly rejected: number;
  /** Milliseconds from the beginning of the restart, one per client, sorted. */
  readonly returns: readonly number[];
  /** Milliseconds without a connection, sorted. */
  readonly absences: readonly number[];
  /** Milliseconds from the beginning of the restart to each later attempt to connect, sorted. */
  readonly attempts: readonly number[];
}

export interface Delivery {
  readonly sent: number;
  readonly received: number;
}

/** Time limit for the whole restart, in milliseconds. */
const LIMIT = 60_000;
/** Milliseconds of load before the restart and after it. */
const CALM = 1_500;

export async function play(
  restart: Restart,
  { clients, processes, interval }: RestartSize,
): Promise<RestartResult> {
  const signal = AbortSignal.timeout(LIMIT);
  const children: ChildProcess[] = [];
  const begin = (child: ChildProcess): ChildProcess => {
    child.stderr?.pipe(process.stderr);
    children.push(child);
    return child;
  };
  try {
    const port = await freePort();
    const old = begin(startServer(restart, [String(port), String(interval)]));
    await nextReport(old, isListening, signal);
    const herds = Array.from({ length: processes }, () =>
      begin(
        startProgram("client-program.js", [
          `ws://127.0.0.1:${port}`,
          String(clients / processes),
          String(interval),
        ]),
      ),
    );
    await Promise.all(herds.map((herd) => nextReport(herd, isReady(1), signal)));
    await sleep(CALM);

    const successor = begin(startServer(restart, [String(port), String(interval)]));
    const listening = nextReport(successor, isListening, signal);
    if (restart.port === "shared") await listening;
    const begunAt = Date.now();
    const close = { type: "close", code: restart.code, spread: restart.spread } as const;
    const [before] = await Promise.all([
      ask(old, close, isServer, signal),
      listening,
      ...herds.map((herd) => nextReport(herd, isReady(2), signal)),
    ]);
    await sleep(CALM);

    const herdReports = await Promise.all(
      herds.map((herd) => ask(herd, { type: "stop" }, isClients, signal)),
    );
    const after = await ask(successor, { type: "close", code: 1001, spread: 0 }, isServer, signal);
    return summarize([before, after], herdReports, begunAt);
  } finally {
    await Promise.all(children.map((child) => stop(child)));
  }
}

function startServer({ port }: Restart, args: string[]): ChildProcess {
  if (port === "handed over") return startProgram("server-program.js", args);
  cluster.setupPrimary({ exec: pathOf("server-program.js"), args });
  return cluster.fork().process;
}

function startProgram(name: string, args: readonly string[]): ChildProcess {
  const program = { program: process.execPath, arguments: [pathOf(name), ...args] };
  return start({ ...program, core: null, hasChannel: true });
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

async function stop(child: ChildProcess): Promise<void> {
  await end(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit"); // It is a worker of the cluster.
  child.kill("SIGKILL");
  await gone;
}

async function ask<Wanted extends Report>(
  child: ChildProcess,
  request: CloseRequest | StopRequest,
  isWanted: (report: Report) => report is Wanted,
  signal: AbortSignal,
): Promise<Wanted> {
  const answer = nextReport(child, isWanted, signal);
  child.send(request);
  return answer;
}

const isListening = (report: Report): report is Listening => report.type === "listening";
const isServer = (report: Report): report is ServerReport => report.type === "server-report";
const isClients = (report: Report): report is ClientsReport => report.type === "clients-report";
const isReady =
  (times: number) =>
  (report: Report): report is Ready =>
    report.type === "ready" && report.times === times;

function summarize(
  servers: readonly ServerReport[],
  herds: readonly ClientsReport[],
  begunAt: number,
): RestartResult {
  const sinceBegin = (times: readonly number[]): number[] => times.map((time) => time - begunAt);
  const inOrder = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
  const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);
  return {
    toServer: {
      sent: total(herds.map(({ sent }) => sent)),
      received: total(servers.map(({ received }) => received)),
    },
    toClients: {
      sent: total(servers.map(({ sent }) => sent)),
      received: total(herds.map(({ received }) => received)),
    },
    rejected: total(herds.map(({ rejected }) => rejected)),
    returns: inOrder(sinceBegin(herds.flatMap(({ returns }) => returns))),
    absences: inOrder(herds.flatMap(({ absences }) => absences)),
    attempts: inOrder(sinceBegin(herds.flatMap(({ attempts }) => attempts)).filter((time) => time >= 0)),
  };
}
