// `npm run bench -- inspect`: what the inspector costs a server with many connections: processor time, bytes and time of
// a snapshot, and memory. Periods with a viewer and without alternate, so that both see the same machine.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect, type Connection } from "holdfast";
import { FIRST_QUERY } from "../../packages/holdfast/inspect-page/dist/first-query.js";
import { runProgram } from "./program.js";

const HELP = `npm run bench -- inspect [options]

  --connections N   clients (default 10000)
  --changes N       changes a second: messages, and one in twenty is a new connection (default 1000)
  --seconds N       seconds of each period (default 20: the server pings each client every 20 s)
  --periods N       periods of each kind: without an inspector, unused, with a viewer (default 3)
  --minutes N       after that, watches the heap with a viewer for N minutes (default: not at all)
`;

/** The kinds of periods: no inspector; one that nobody uses; one with a viewer. */
const KINDS = ["plain", "idle", "viewed"] as const;
type Kind = (typeof KINDS)[number];

interface Viewing {
  bytes: number;
  /** Milliseconds to each snapshot. */
  readonly times: number[];
  /** Round trips of a ping before each: the same way, without the inspector's work. */
  readonly pings: number[];
}

interface Settings {
  readonly connections: number;
  readonly changes: number;
  readonly seconds: number;
  readonly periods: number;
  /** Null not to watch the heap. */
  readonly minutes: number | null;
}

await runProgram(HELP, { connections: 10_000, changes: 1_000, seconds: 20, periods: 3, minutes: null }, main);

async function main({ connections, changes, seconds, periods, minutes }: Settings): Promise<void> {
  const server = start("server-program", [], ["--expose-gc"]);
  const [{ port }] = (await once(server, "message")) as [{ port: number }]; // Its first message.
  const url = `ws://127.0.0.1:${port}`;
  // Each replacement is an ending and an opening.
  const crowd = start("crowd-program", [
    url,
    String(connections),
    String(changes * 0.95),
    String(changes * 0.025),
  ]);
  await once(crowd, "message");
  await sleep(3_000);
  const shares: Record<Kind, number[]> = { plain: [], idle: [], viewed: [] };
  const heaps: number[] = [];
  const viewing = nothingViewed();
  for (let round = 0; round <= periods; round++) {
    for (const kind of KINDS) {
      server.send(kind === "plain" ? "stop" : "inspect");
      const isCounted = round > 0; // The first round warms up.
      const share = await (kind === "viewed"
        ? viewed(server, url, seconds, isCounted ? viewing : nothingViewed())
        : period(server, seconds));
      const heap = await ask(server, "memory");
      process.stdout.write(
        `${kind}: ${share.toFixed(2)} % of a core, heap ${(heap / 1e6).toFixed(1)} MB${isCounted ? "" : " (warming up)"}\n`,
      );
      if (isCounted) shares[kind].push(share);
      if (isCounted && kind === "viewed") heaps.push(heap);
    }
  }
  const heapOverTime = minutes === null ? [] : await watchHeap(server, url, minutes);
  crowd.disconnect();
  server.disconnect();
  await Promise.all([once(crowd, "exit"), once(server, "exit")]);
  report(shares, heaps, heapOverTime, viewing, seconds);
}

function report(
  shares: Record<Kind, number[]>,
  heaps: readonly number[],
  heapOverTime: readonly number[],
  { bytes, times, pings }: Viewing,
  seconds: number,
): void {
  // Of neighbouring periods, because the load of the machine changes.
  const share = (more: Kind, less: Kind): string => {
    const differences = shares[more].map((value, index) => value - (shares[less][index] ?? 0));
    const percent = (value: number): string => value.toFixed(2);
    return `${percent(median(differences))} % (${differences.map(percent).join(", ")}), of ${percent(median(shares[more]))} %`;
  };
  const rows = [
    ["processor time for a viewer, share of a core", "2 %", share("viewed", "idle")],
    ["the same while nobody looks", "none", share("idle", "plain")],
    [
      "bytes a second to a viewer",
      "50,000",
      Math.round(bytes / (seconds * heaps.length)).toLocaleString("en"),
    ],
    ["milliseconds to a snapshot: median, 95 %, worst", "200", distribution(times)],
    ["the same to the pong of a ping", "", distribution(pings)],
    [
      "growth of the heap, from the first period with a viewer to the last",
      "none",
      `${(((heaps.at(-1) ?? 0) - (heaps[0] ?? 0)) / 1e6).toFixed(2)} MB`,
    ],
  ];
  if (heapOverTime.length > 0) {
    const megabytes = heapOverTime.map((heap) => (heap / 1e6).toFixed(1));
    rows.push([
      `heap in MB with a viewer, for ${heapOverTime.length / 2} minutes`,
      "flat",
      megabytes.join(" "),
    ]);
  }
  process.stdout.write("\n| | bar | measured |\n|---|---|---|\n");
  for (const row of rows) process.stdout.write(`| ${row.join(" | ")} |\n`);
}

/** The heap after each half minute with a viewer. */
async function watchHeap(server: ChildProcess, url: string, minutes: number): Promise<number[]> {
  const heaps: number[] = [];
  server.send("inspect");
  const viewer = await connect(`${url}/holdfast/stream`);
  const stop = new AbortController();
  const looking = look(viewer, nothingViewed(), stop.signal);
  while (heaps.length < minutes * 2) {
    await sleep(30_000);
    heaps.push(await ask(server, "memory"));
  }
  stop.abort();
  await looking;
  await viewer.close();
  return heaps;
}

async function viewed(server: ChildProcess, url: string, seconds: number, viewing: Viewing): Promise<number> {
  const viewer = await connect(`${url}/holdfast/stream`);
  const stop = new AbortController();
  const looking = look(viewer, viewing, stop.signal);
  const share = await period(server, seconds);
  stop.abort();
  await looking;
  await viewer.close();
  return share;
}

/** Asks as the page does: once a second, for the first hundred rows. */
async function look(viewer: Connection, viewing: Viewing, signal: AbortSignal): Promise<void> {
  for (let id = 1; !signal.aborted; id++) {
    viewing.pings.push(await viewer.ping());
    const began = performance.now();
    await viewer.send(JSON.stringify({ type: "look", id, process: null, query: FIRST_QUERY }));
    const answer = await viewer.recv();
    viewing.times.push(performance.now() - began);
    viewing.bytes += answer.length;
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  }
}

/** The share of a core that the server uses, in percent. */
async function period(server: ChildProcess, seconds: number): Promise<number> {
  const [before, began] = [await ask(server, "processor"), performance.now()];
  await sleep(seconds * 1_000);
  const [after, ended] = [await ask(server, "processor"), performance.now()];
  return (after - before) / (ended - began) / 10;
}

async function ask(server: ChildProcess, question: "memory" | "processor"): Promise<number> {
  const answer = once(server, "message");
  server.send(question);
  const [value] = (await answer) as [number]; // The program answers with numbers.
  return value;
}

function start(name: string, args: readonly string[], execArgv: readonly string[] = []): ChildProcess {
  return fork(fileURLToPath(new URL(`inspect/${name}.js`, import.meta.url)), args, {
    execArgv: [...execArgv, "--max-old-space-size=1000"],
  });
}

function nothingViewed(): Viewing {
  return { bytes: 0, times: [], pings: [] };
}

function distribution(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return [0.5, 0.95, 1]
    .map((part) => (sorted[Math.ceil(part * sorted.length) - 1] ?? 0).toFixed(1))
    .join(", ");
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
}
