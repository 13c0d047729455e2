// `holdfast ping`: ping(8) for WebSockets.

import { setTimeout as sleep } from "node:timers/promises";
import { connect, explain, type Connection } from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";
import { EXIT } from "../exit-codes.js";
import { completeURL, PEER_OPTIONS, peerOptions } from "../peer-options.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { connecting, withProgress } from "../terminal/progress.js";
import type { Verb } from "../verb.js";
import { PingReport } from "./report.js";

export const pingVerb: Verb = {
  name: "ping",
  summary: "measure the round trip to a server with WebSocket pings",
  operands: "<url>",
  operandCount: [1, 1],
  options: {
    count: { short: "c", value: "N", help: "stop after so many pings (without it: on Ctrl-C)" },
    interval: { short: "i", value: "SECONDS", help: "time between two pings (1)" },
    timeout: {
      short: "W",
      value: "SECONDS",
      help: "time to wait for an answer; what comes later is lost (5)",
    },
    quiet: { short: "q", help: "only the summary" },
    json: { help: "one JSON object per line" },
    ...PEER_OPTIONS,
  },
  notes: `The pings are those of the protocol (RFC 6455 section 5.5.2): every server answers them, without a word to
the application. Ctrl-C ends with the summary.

  holdfast ping -c 10 -i 0.2 wss://example.com/feed

Exit code: 0 at least one was answered, 1 none was, 2 no connection, or it broke.`,
  run: ping,
};

async function ping(given: Arguments, console: Console): Promise<number> {
  const count = given.count("count", Infinity);
  const interval = given.time("interval", "s", 1000);
  const timeout = given.time("timeout", "s", 5000);
  const report = new PingReport(console, { isQuiet: given.has("quiet"), isJson: given.has("json") });
  const url = completeURL(given.operands[0]);
  const options = {
    ...peerOptions(given),
    // Every ping on the wire is one of those that are reported.
    pingInterval: null,
    // A server that answers no ping mostly answers no Close either, and the summary waits for it.
    closeTimeout: 1000,
    signal: console.interrupted,
  };
  const connection = await withProgress(console, connecting(url), () => connect(url, options));
  report.begin(connection);
  void connection.forEach(() => undefined).catch(() => undefined); // What the server sends is not asked for.
  await sendPings(connection, { count, interval, timeout, report, interrupted: console.interrupted });
  const hasBroken = connection.state === "closed";
  const info = await connection.close();
  const { answered } = report.end();
  if (hasBroken) console.say(`holdfast: ${escaped(explain(info))}`);
  return hasBroken ? EXIT.usage : answered > 0 ? EXIT.ok : EXIT.failed;
}

interface Run {
  readonly count: number;
  readonly interval: number;
  readonly timeout: number;
  readonly report: PingReport;
  readonly interrupted: AbortSignal;
}

/** On a fixed grid, whether or not those before were answered; resolves when each is answered or lost. */
async function sendPings(connection: Connection, run: Run): Promise<void> {
  const end = AbortSignal.any([connection.signal, run.interrupted]);
  const underway = new Set<Promise<void>>();
  const began = performance.now();
  for (let sequence = 1; sequence <= run.count && !end.aborted; sequence++) {
    const one = onePing(connection, sequence, run, end).finally(() => underway.delete(one));
    underway.add(one);
    if (sequence === run.count) break;
    const wait = began + sequence * run.interval - performance.now();
    await sleep(Math.max(wait, 0), undefined, { signal: end }).catch(() => undefined);
  }
  await Promise.all(underway);
}

async function onePing(
  connection: Connection,
  sequence: number,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  run.report.onSent();
  try {
    run.report.onAnswer(sequence, await connection.ping(null, { timeout: run.timeout, signal }));
  } catch {
    // Where the connection broke or Ctrl-C came, it says why itself, and this one was not waited for.
    if (signal.aborted && run.interrupted.aborted) run.report.onAbandoned();
    else run.report.onLost(sequence, connection.state === "closed" ? null : run.timeout);
  }
}
