// `holdfast bench`: a load test for echo servers.

import type { Connection, ConnectOptions } from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";
import { EXIT } from "../exit-codes.js";
import { completeURL, peerOptions } from "../connection/peer-options.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { jsonLine } from "../terminal/json.js";
import { connecting, withProgress } from "../terminal/progress.js";
import { dial } from "./dial.js";
import { Lane } from "./lane.js";
import { Load } from "./load.js";
import { Payloads } from "./payload.js";
import { planFrom, type Plan } from "./plan.js";
import { probe } from "./probe.js";
import { measureProcessor } from "./processor.js";
import { beginProgress } from "./progress.js";
import { figure, summaryJSON, summaryText, type Measured } from "./summary.js";
import { NO_ECHO, Tally } from "./tally.js";

/** How long servers may take to answer the Close at the end, in milliseconds. */
const CLOSE_TIMEOUT = 500;

export async function bench(given: Arguments, console: Console): Promise<number> {
  const plan = planFrom(given);
  const url = completeURL(given.operands[0]);
  const isJson = given.has("json");
  const options: ConnectOptions = {
    // Echoes must not exceed the limit.
    maxMessageSize: Math.max(plan.size, 1024 * 1024),
    ...peerOptions(given),
    // Only measured messages are on the wire.
    pingInterval: null,
    closeTimeout: CLOSE_TIMEOUT,
  };
  const payloads = new Payloads(plan.size, plan.isBinary);
  const echoing = await withProgress(console, connecting(url), () =>
    probe(url, options, payloads, plan.timeout, console.interrupted),
  );
  if (echoing.kind === "none") {
    console.say(`holdfast: ${escaped(echoing.message)}`);
    return echoing.isLate ? EXIT.timeout : EXIT.failed;
  }
  if (!isJson) console.print(openingLine(url, plan));
  const measured = await measure(url, options, { plan, payloads, tally: new Tally() }, console, isJson);
  if (isJson) console.print(jsonLine(summaryJSON(url, measured)));
  else for (const line of summaryText(measured)) console.print(line);
  return exitCodeOf(measured, console);
}

interface RunState {
  readonly plan: Plan;
  readonly payloads: Payloads;
  readonly tally: Tally;
}

async function measure(
  url: string,
  options: ConnectOptions,
  { plan, payloads, tally }: RunState,
  console: Console,
  isJson: boolean,
): Promise<Measured> {
  const { interrupted } = console;
  const dialBegan = performance.now();
  const connections = await withProgress(
    console,
    () => `opening connections: ${figure(tally.connectTimes.count)} of ${figure(plan.connections)}`,
    () => dial(url, options, plan.connections, tally, interrupted),
  );
  const dialTime = performance.now() - dialBegan;
  const isLocal = connections.some(({ remoteAddress }) => isLoopback(remoteAddress?.address ?? ""));
  const lanes = connections.map((connection, index) => new Lane(connection, index, payloads, plan, tally));
  const load = new Load(lanes, plan, tally);
  let isRunning = true;
  const ends = lanes.map(async (lane) => {
    const info = await lane.read((ready) => load.onEcho(ready));
    if (isRunning && info.cause !== "aborted" && info.initiator !== "local") lane.onEnd(info);
  });
  const use = measureProcessor();
  const endProgress = beginProgress(console, plan, tally, isJson);
  const { duration, echoed } = await load.run(interrupted);
  const used = use();
  endProgress();
  isRunning = false;
  await closeAll(connections, ends);
  return { plan, tally, dialTime, sendTime: duration, echoed, use: used, isLocal };
}

async function closeAll(connections: readonly Connection[], ends: readonly Promise<void>[]): Promise<void> {
  await Promise.all(connections.map((connection) => connection.close()));
  await Promise.all(ends);
}

function exitCodeOf({ tally }: Measured, console: Console): number {
  const causes = tally.problems.map(({ cause }) => cause);
  if (causes.some((cause) => cause !== NO_ECHO && cause !== "open-timeout")) return EXIT.failed;
  if (causes.length > 0) return EXIT.timeout;
  return console.interrupted.aborted && tally.echoed === 0 ? EXIT.interrupted : EXIT.ok;
}

function openingLine(url: string, { connections, depth, size, isBinary, duration, rate }: Plan): string {
  const pace = rate === null ? `${figure(depth)} in flight on each` : `${figure(rate)} messages/s`;
  const load = `${figure(size)} bytes of ${isBinary ? "binary" : "text"}`;
  return `BENCH ${escaped(url)}: ${figure(connections)} connections, ${pace}, ${load}, ${duration / 1000} s`;
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}
