// `holdfast ping`: ping(8) for WebSockets.

import { setTimeout as sleep } from "node:timers/promises";
import {
  Client,
  explain,
  persist,
  TooSlowError,
  type Connection,
  type DisconnectedEvent,
} from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";
import { CurrentConnection } from "../connection/current-connection.js";
import { EXIT } from "../exit-codes.js";
import { SessionClient, isSessionEvent } from "../connection/session-client.js";
import { completeURL, peerOptions } from "../connection/peer-options.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { connecting, showProgress } from "../terminal/progress.js";
import { PingReport } from "./report.js";

/** Reconnect delays in milliseconds: short, since somebody is watching. */
const RECONNECTING = { firstDelay: 500, maxDelay: 5000 };

export async function ping(given: Arguments, console: Console): Promise<number> {
  const count = given.count("count", Infinity);
  const interval = given.time("interval", 1000);
  const timeout = given.time("timeout", 5000);
  const report = new PingReport(console, { isQuiet: given.has("quiet"), isJson: given.has("json") });
  const url = completeURL(given.operands[0]);
  const options = {
    ...peerOptions(given),
    // All pings on the wire are those that are reported.
    pingInterval: null,
    // A server that answers no pings usually answers no Close either, and the summary waits for the end.
    closeTimeout: 1000,
  };
  const client = given.has("session")
    ? new SessionClient(url, { ...options, ...RECONNECTING })
    : new Client(url, options);
  const over = new AbortController();
  const ended = AbortSignal.any([console.interrupted, over.signal]);
  let isEnding = false;
  const end = (): void => {
    isEnding = true;
    void client.close();
  };
  console.interrupted.addEventListener("abort", end, { once: true });
  const current = new CurrentConnection();
  const endProgress = showProgress(console, connecting(url));
  let pings: Promise<void> | null = null;
  let last: DisconnectedEvent | null = null;
  for await (const event of client instanceof SessionClient ? client : persist(client, RECONNECTING)) {
    if (isSessionEvent(event)) report.onSession(event);
    if (event.type === "ready") {
      endProgress();
      report.onOpen(event.connection);
      current.onOpen(event.connection);
      pings ??= sendPings(current, { count, interval, timeout, report, ended }).finally(end);
    }
    if (event.type === "disconnected") {
      current.onDisconnected();
      last = event;
      // Do not retry if the first attempt fails.
      if (pings === null) {
        report.onFailed(event);
        end();
      }
    }
    if (event.type === "backOff" && last !== null) report.onDisconnected(last, event.delay);
  }
  endProgress();
  // The loop ended by itself: the server refuses to reconnect, and a retry cannot change that.
  const isRefused = !(isEnding as boolean); // A callback has set it: the compiler does not know.
  over.abort();
  if (pings === null) throw console.interrupted.aborted ? console.interrupted.reason : last?.error;
  await pings;
  if (isRefused && last !== null) report.onFailed(last);
  const { answered } = report.end();
  if (!isRefused || last === null) return answered > 0 || console.hasReaderExited ? EXIT.ok : EXIT.failed;
  console.say(`holdfast: ${escaped(explain(last.info))}`);
  return EXIT.usage;
}

interface Run {
  readonly count: number;
  readonly interval: number;
  readonly timeout: number;
  readonly report: PingReport;
  readonly ended: AbortSignal;
}

/** Sends pings on a fixed grid without waiting for pongs. Resolves once each ping is answered or lost. */
async function sendPings(current: CurrentConnection, run: Run): Promise<void> {
  const { ended } = run;
  const pending = new Set<Promise<void>>();
  const began = performance.now();
  for (let sequence = 1; sequence <= run.count && !ended.aborted; sequence++) {
    const answered = onePing(current.connection, sequence, run).finally(() => pending.delete(answered));
    pending.add(answered);
    if (sequence === run.count) break;
    const wait = began + sequence * run.interval - performance.now();
    await sleep(Math.max(wait, 0), undefined, { signal: ended }).catch(() => undefined);
  }
  await Promise.all(pending);
}

async function onePing(connection: Connection | null, sequence: number, run: Run): Promise<void> {
  const { report, timeout, ended } = run;
  report.onSent();
  if (connection === null) {
    report.onLost(sequence, "no connection");
    return;
  }
  try {
    report.onAnswer(sequence, await connection.ping(null, { timeout, signal: ended }));
  } catch (error) {
    // Ctrl-C: this ping is neither answered nor lost.
    if (ended.aborted) report.onAbandoned();
    else if (error instanceof TooSlowError) report.onLost(sequence, `no answer within ${timeout / 1000} s`);
    else report.onLost(sequence, "the connection ended");
  }
}
