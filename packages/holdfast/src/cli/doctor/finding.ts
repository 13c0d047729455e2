// The result of a check, and how it is printed.

import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { jsonLine } from "../terminal/json.js";

export interface Finding {
  readonly check:
    "proxy" | "DNS" | "TCP" | "TLS" | "certificate" | "upgrade" | "latency" | "closing" | "idle";
  readonly verdict: "ok" | "warning" | "failed";
  readonly text: string;
  /** The recommended action. */
  readonly advice?: string;
  /** How long the check took, in milliseconds. */
  readonly duration?: number;
}

export function showFinding(finding: Finding, console: Console, isJSON: boolean): void {
  if (isJSON) {
    console.print(jsonLine(finding));
    return;
  }
  const { style } = console;
  const mark = { ok: style.good("ok  "), warning: style.warning("warn"), failed: style.bad("FAIL") }[
    finding.verdict
  ];
  const duration = finding.duration === undefined ? "" : ` (${finding.duration.toFixed(1)} ms)`;
  console.print(`${mark}  ${finding.check.padEnd(11)} ${escaped(finding.text)}${duration}`);
  if (finding.advice !== undefined) console.print(`      ${" ".repeat(11)} ${escaped(finding.advice)}`);
}
