// Formats the results of restarts as Markdown.

import type { Delivery, Restart, RestartResult } from "./play.js";

const HEADINGS = [
  ...["port", "code", "spread", "lost to the server", "lost to clients", "failed sends"],
  ...["50 % back", "all back", "longest absence", "attempts", "peak in 100 ms"],
];

export function renderHead(): string {
  return [HEADINGS, HEADINGS.map(() => "---")].map(line).join("");
}

export function renderRow({ port, code, spread }: Restart, result: RestartResult): string {
  const { toServer, toClients, rejected, returns, absences, attempts } = result;
  const peak = most(attempts, 100);
  return line([
    port,
    String(code),
    seconds(spread),
    lost(toServer),
    lost(toClients),
    String(rejected),
    seconds(returns[Math.ceil(returns.length / 2) - 1]),
    seconds(returns.at(-1)),
    seconds(absences.at(-1)),
    String(attempts.length),
    `${peak} (${((peak / returns.length) * 100).toFixed(1)} %)`,
  ]);
}

/** The largest number of these sorted times within any window of this many milliseconds. */
export function most(times: readonly number[], window: number): number {
  let first = 0;
  let peak = 0;
  for (const [index, time] of times.entries()) {
    while (time - (times[first] ?? time) >= window) first++;
    peak = Math.max(peak, index - first + 1);
  }
  return peak;
}

function lost({ sent, received }: Delivery): string {
  return `${sent - received} of ${sent}`;
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? "never" : `${(ms / 1_000).toFixed(1)} s`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}
