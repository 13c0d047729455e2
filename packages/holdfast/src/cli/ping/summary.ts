// The summary at the end of `holdfast ping`.

import { roundTripsOf, type RoundTrips } from "../connection/round-trips.js";
import { milliseconds } from "../terminal/milliseconds.js";

export interface PingSummary {
  readonly sent: number;
  readonly answered: number;
  /** Percent. */
  readonly loss: number;
  /** How often the client reconnected. */
  readonly reconnects: number;
  /** Null if no ping was answered. */
  readonly times: RoundTrips | null;
}

export function summarise(sent: number, roundTrips: readonly number[], reconnects = 0): PingSummary {
  const answered = roundTrips.length;
  const loss = sent === 0 ? 0 : ((sent - answered) / sent) * 100;
  return { sent, answered, loss, reconnects, times: answered === 0 ? null : roundTripsOf(roundTrips) };
}

export function summaryLines(
  url: string,
  { sent, answered, loss, reconnects, times }: PingSummary,
): string[] {
  const counts = [
    `${counted(sent, "ping")} sent`,
    `${answered} answered`,
    `${percent(loss)} % lost`,
    ...(reconnects === 0 ? [] : [counted(reconnects, "reconnect")]),
  ];
  const lines = [`--- ${url} ---`, counts.join(", ")];
  if (times === null) return lines;
  const { min, avg, max, jitter, p50, p95, p99 } = times;
  return [
    ...lines,
    `min/avg/max/jitter = ${[min, avg, max, jitter].map(milliseconds).join("/")} ms`,
    `p50/p95/p99 = ${[p50, p95, p99].map(milliseconds).join("/")} ms`,
  ];
}

function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}

function percent(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
