// Runs the demo: its introduction, its steps one after another, and its summary.

import { FarEnd } from "../far-end/far-end.js";
import type { Sabotage } from "../sabotage.js";
import { clock, duration, printable } from "../terminal/text.js";
import type { Terminal } from "../terminal/terminal.js";
import { CLIENT, DEFAULTS, SERVER, verdictBound } from "../timings.js";
import { blockedLoop } from "./blocked-loop.js";
import { countedStream } from "./counted-stream.js";
import { frozenLink } from "./frozen-link.js";
import { messages } from "./messages.js";
import { newConnection } from "./new-connection.js";
import { slowLink } from "./slow-link.js";
import { Stage } from "./stage.js";
import type { Step } from "./step.js";

const STEPS: readonly Step[] = [messages, slowLink, blockedLoop, frozenLink, newConnection, countedStream];

/** Milliseconds for reading the plan of a step. */
const READING = 1_200;

/** The result of a step; null if the demo did not reach it. */
type Outcome = { readonly isDone: boolean; readonly figure: string; readonly took: number } | null;

/**
 * Runs the demo. Resolves with null if every step succeeded, and otherwise with the title of the step that
 * failed.
 */
export async function tellStory(terminal: Terminal, sabotage: Sabotage | null): Promise<string | null> {
  const start = performance.now();
  open(terminal);
  const stage = new Stage(terminal, await FarEnd.start(sabotage), sabotage);
  const outcomes: Outcome[] = [];
  for (const [index, step] of STEPS.entries()) {
    const isReached = outcomes.every((outcome) => outcome?.isDone === true);
    outcomes.push(isReached ? await tellStep(stage, index + 1, step) : null);
  }
  await stage.close();
  summarize(terminal, outcomes, performance.now() - start);
  return STEPS.find((_step, index) => outcomes[index]?.isDone !== true)?.title ?? null;
}

function open(terminal: Terminal): void {
  const { strong, quiet } = terminal.style;
  const here = (value: number): string => duration(value).padEnd(9);
  terminal.line();
  terminal.line(`   ${strong("Holdfast")}  WebSockets that hold fast`);
  terminal.line();
  terminal.paragraph(
    "A real server and a real client on this machine, and between them a proxy that breaks the network on demand. Server and proxy run in their own thread. The timers are shorter than usual, so that this takes less than twenty seconds:",
    "   ",
  );
  terminal.line();
  terminal.line(quiet("                             client   server   by default"));
  terminal.line(
    `   pingInterval              ${here(CLIENT.pingInterval)}${here(SERVER.pingInterval)}${duration(DEFAULTS.pingInterval)}`,
  );
  terminal.line(
    `   pingTimeout               ${here(CLIENT.pingTimeout)}${here(SERVER.pingTimeout)}${duration(DEFAULTS.pingTimeout)}`,
  );
  terminal.line(
    `   a dead peer is found after${here(verdictBound(CLIENT))}${here(verdictBound(SERVER))}${duration(verdictBound(DEFAULTS))}`,
  );
}

async function tellStep(stage: Stage, number: number, { title, plan, run }: Step): Promise<Outcome> {
  const { terminal } = stage;
  const { strong, quiet, good, bad } = terminal.style;
  const rule = "─".repeat(Math.max(2, terminal.width - 5 - title.length));
  terminal.line();
  terminal.line(` ${strong(`${number}  ${title}`)} ${quiet(rule)}`);
  terminal.line();
  terminal.paragraph(plan, "    ", "    ", quiet);
  terminal.line();
  await terminal.pause(READING);
  stage.begin();
  try {
    const { sentence, figure } = await run(stage);
    terminal.line();
    terminal.paragraph(sentence, `  ${good("✓")} `, "    ");
    return { isDone: true, figure, took: stage.elapsed };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    terminal.line();
    terminal.paragraph(`This step failed. ${printable(reason)}.`, `  ${bad("✗")} `, "    ");
    return { isDone: false, figure: "failed", took: stage.elapsed };
  }
}

function summarize(terminal: Terminal, outcomes: readonly Outcome[], took: number): void {
  const { strong, quiet, good, bad } = terminal.style;
  terminal.line();
  terminal.line(quiet("─".repeat(terminal.width)));
  terminal.line();
  for (const [index, { title }] of STEPS.entries()) {
    const outcome = outcomes[index] ?? null;
    const sign = outcome === null ? quiet("–") : outcome.isDone ? good("✓") : bad("✗");
    const figure = outcome === null ? "not reached" : outcome.figure;
    terminal.line(`  ${sign} ${index + 1}  ${title.split(":")[0]?.padEnd(42) ?? ""}${figure}`);
  }
  terminal.line();
  const isComplete = outcomes.every((outcome) => outcome?.isDone === true);
  const verdict = isComplete ? "All steps succeeded" : "Not all steps succeeded";
  terminal.line(strong(`    ${verdict}, in ${clock(took)} s.`));
  terminal.line(quiet("    Next: README.md, docs/promises.md, and npm test, which proves them."));
  terminal.line();
}
