// The summary of a load test, as text and as JSON.

import { milliseconds } from "../terminal/milliseconds.js";
import { escaped } from "../terminal/escape.js";
import type { Distribution } from "./histogram.js";
import type { Plan } from "./plan.js";
import { SATURATED, type ProcessorUse } from "./processor.js";
import type { Tally } from "./tally.js";

export interface Measured {
  readonly plan: Plan;
  readonly tally: Tally;
  /** Milliseconds. */
  readonly dialTime: number;
  readonly sendTime: number;
  /** Echoes received within `sendTime`. */
  readonly echoed: number;
  readonly use: ProcessorUse;
  readonly isLocal: boolean;
}

export function summaryText(measured: Measured): string[] {
  const { plan, tally, dialTime, sendTime } = measured;
  const { connects, messages, megabytes } = perSecond(measured);
  const opened = tally.connectTimes.count;
  const rows = [
    [
      "connections",
      `${figure(opened)} of ${figure(plan.connections)} opened in ${milliseconds(dialTime)} ms: ${figure(connects)}/s`,
    ],
    ["  to open", times(tally.connectTimes.distribution)],
    [
      "messages",
      `${figure(measured.echoed)} echoed in ${(sendTime / 1000).toFixed(1)} s: ${figure(messages)}/s, ${megabytes.toFixed(2)} MB/s each way`,
    ],
    [plan.rate === null ? "latency" : "latency from when due", times(tally.latencies.distribution)],
    ...(plan.rate === null ? [] : [["  sent late by", times(tally.lateness.distribution)]]),
    ...tally.problems.map(({ cause, count, example }) => [
      "problem",
      `${cause} × ${figure(count)}: ${escaped(example)}`,
    ]),
    [
      "client",
      `${measured.use.cpu.toFixed(0)} % of a processor, event loop busy ${measured.use.busy.toFixed(0)} % of the time`,
    ],
  ];
  return [
    ...rows.map(([name, text]) => `${name.padEnd(14)} ${text}`),
    ...remarks(measured).map((text) => `note: ${text}`),
  ];
}

export function summaryJSON(url: string, measured: Measured): object {
  const { plan, tally } = measured;
  const { connects, messages, megabytes } = perSecond(measured);
  return {
    type: "summary",
    url,
    connections: plan.connections,
    opened: tally.connectTimes.count,
    connectsPerSecond: rounded(connects),
    connectTime: plain(tally.connectTimes.distribution),
    duration: rounded(measured.sendTime),
    sent: tally.sent,
    echoed: tally.echoed,
    messagesPerSecond: rounded(messages),
    megabytesPerSecond: rounded(megabytes),
    latency: plain(tally.latencies.distribution),
    ...(plan.rate === null ? {} : { lateness: plain(tally.lateness.distribution), unsent: tally.unsent }),
    abandoned: tally.abandoned,
    others: tally.others,
    problems: tally.problems,
    client: { cpu: rounded(measured.use.cpu), busy: rounded(measured.use.busy) },
    notes: remarks(measured),
  };
}

/** Caveats about the figures. */
function remarks({ tally, use, isLocal }: Measured): string[] {
  const isFull = use.busy >= SATURATED;
  return [
    isFull &&
      "this client was saturated: the figures show its limit, and the server may be faster. Run several clients, or use a faster machine.",
    isLocal && "the server is on this machine, and shares its processors with this client.",
    tally.unsent > 0 &&
      `${figure(tally.unsent)} messages were due but not sent, since --depth messages were in flight. The figures do not include their latency.`,
    tally.abandoned > 0 &&
      `${figure(tally.abandoned)} messages were in flight at the end. The figures do not include them.`,
    tally.others > 0 && `${figure(tally.others)} other messages were received that are no echoes.`,
  ].filter((text) => text !== false);
}

function perSecond({ plan, tally, dialTime, sendTime, echoed }: Measured): {
  readonly connects: number;
  readonly messages: number;
  readonly megabytes: number;
} {
  const messages = sendTime === 0 ? 0 : (echoed / sendTime) * 1000;
  const connects = dialTime === 0 ? 0 : (tally.connectTimes.count / dialTime) * 1000;
  return { connects, messages, megabytes: (messages * plan.size) / 1e6 };
}

function times(distribution: Distribution | null): string {
  if (distribution === null) return "none";
  const { min, avg, p50, p90, p99, p999, max } = distribution;
  const text = (values: readonly number[]): string => values.map(milliseconds).join("/");
  return `min/avg/max ${text([min, avg, max])} ms, p50/p90/p99/p99.9 ${text([p50, p90, p99, p999])} ms`;
}

function plain(distribution: Distribution | null): object | null {
  if (distribution === null) return null;
  const figures = Object.entries(distribution) as [string, number][]; // All fields are numbers.
  return Object.fromEntries(figures.map(([name, value]) => [name, rounded(value)]));
}

/** With commas: 1,234,567. */
export function figure(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
