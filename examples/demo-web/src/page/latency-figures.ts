// The figures below the latency chart. The caption and the tiles show the same ones.

import type { LatencyStats } from "holdfast/browser";
import { element, milliseconds, say } from "./elements.js";

export function showLatency({ last, p50, p95, jitter, answered, lost }: LatencyStats): void {
  const figures = {
    last: milliseconds(last),
    median: milliseconds(p50),
    "95 %": milliseconds(p95),
    jitter: milliseconds(jitter),
    answered: String(answered),
    lost: String(lost),
  };
  element("statistics", HTMLDListElement).replaceChildren(
    ...Object.entries(figures).map(([name, value]) => tile(name, value)),
  );
  if (last === null) return;
  say(
    element("chart-summary", HTMLElement),
    `The last minute. Newest round trip ${figures.last}, median of all ${figures.median}.`,
  );
}

function tile(name: string, value: string): HTMLElement {
  const group = document.createElement("div");
  const term = document.createElement("dt");
  const description = document.createElement("dd");
  term.textContent = name;
  description.textContent = value;
  group.append(term, description);
  return group;
}
