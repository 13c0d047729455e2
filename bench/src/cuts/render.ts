// The text of a report.

import type { CutsReport } from "./play.js";
import type { RacesReport } from "./races.js";
import type { Verdict } from "./tally.js";

export function renderCuts(report: CutsReport): string {
  const { cuts, resumed, seconds, failures } = report;
  const rows = [
    `${cuts} cuts, ${resumed} resumptions, ${seconds.toFixed(1)} s`,
    row("to the server", report.toServer),
    row("to clients", report.toClients),
    row("broadcast", report.broadcasts),
    ...failures.slice(0, 20),
  ];
  return `${rows.join("\n")}\n`;
}

/** Whether nothing was lost, duplicated or out of order. */
export function isKept({ toServer, toClients, broadcasts, failures }: CutsReport): boolean {
  const flaws = [toServer, toClients, broadcasts].map(
    ({ lost, duplicated, disordered, misreported }) => lost + duplicated + disordered + misreported,
  );
  return failures.length === 0 && flaws.every((count) => count === 0);
}

export function renderRaces({ races, decided, complete, overtaken, failures }: RacesReport): string {
  const line = `${races} races: ${decided} with one winner and \`moved\` for the other, ${complete} with every message once, in order, at both ends; the later socket won ${overtaken}`;
  return `${[line, ...failures.slice(0, 20)].join("\n")}\n`;
}

function row(name: string, verdict: Verdict): string {
  const { sent, received, lost, duplicated, disordered, unsent, misreported } = verdict;
  return (
    `${name.padEnd(14)} ${sent} sent, ${received} received, ${lost} lost, ${duplicated} duplicated, ` +
    `${disordered} out of order, ${unsent} streams reported as unsent (${misreported} wrongly)`
  );
}
