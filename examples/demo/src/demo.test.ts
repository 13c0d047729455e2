import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { slowness } from "holdfast-testkit";
import type { Sabotage } from "./sabotage.js";

const STEPS = [
  "1  Messages, and how long they take",
  "2  The link gets slow",
  "3  The client's own event loop is blocked",
  "4  The link freezes silently",
  "5  The network returns: a new connection, and a clean close",
  "6  A counted stream is cut in the middle",
];

/** Longer than any run of the demo; one that hangs is ended after this time. */
const LIMIT = 300_000;

interface Run {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
  readonly took: number;
}

/** Runs the demo as `npm start` does, but without a terminal. */
function runDemo(...parameters: string[]): Promise<Run> {
  const start = performance.now();
  const program = fileURLToPath(new URL("./index.js", import.meta.url));
  const child = spawn(process.execPath, [program, ...parameters], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT,
  });
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output, errors, took: performance.now() - start }));
  });
}

/** The titles of the steps that started. */
function stepsOf(output: string): string[] {
  return [...output.matchAll(/^ (\d {2}.+?) ─+$/gm)].map((match) => match[1] ?? "");
}

/** The symbols of the summary: done, failed, not reached. */
function signsOf(output: string): string {
  return [...output.matchAll(/^ {2}([✓✗–]) \d/gm)].map((match) => match[1] ?? "").join("");
}

describe("npm start", { concurrency: 3 }, () => {
  test("Demo: without a terminal, every step succeeds in order, in under a minute, and it exits with 0", async () => {
    const { status, output, errors, took } = await runDemo();
    assert.equal(errors, "");
    assert.equal(status, 0, output);
    assert.deepEqual(stepsOf(output), STEPS);
    assert.equal(signsOf(output), "✓✓✓✓✓✓");
    assert.ok(took < 60_000 * slowness(), `It took ${took} ms`);

    const told = [
      /Text: "Grüße aus dem Terminal" came back/,
      /overdue: a ping has waited for/,
      /suspended: a gap of/,
      /The client's verdict, after \d+(?:\.\d+)? s:\n +│ sent 1011 \(internal error\) keepalive ping timeout; no close/,
      /│ The peer did not answer a ping within 2 s/,
      /The server's verdict, after \d+(?:\.\d+)? s:/,
      /still\s+says\s+"open"/,
      /│ received 1011 \(internal error\) keepalive ping timeout; then sent/,
      /│ sent 1000 \(OK\) That was all; then received 1000 \(OK\) That was all/,
      /│ received 1000 \(OK\) That was all; then sent 1000 \(OK\) That was all/,
      /With a session: received 200 of 200, and the server 200 of 200\./,
      /Without one: +received \d+ of 200, and/,
      /With a session, 0 of 400 numbers are missing, 0 repeated and 0 out\s+of\s+order,\s+after 3 cuts/,
    ];
    let position = 0;
    for (const pattern of told) {
      const match = pattern.exec(output.slice(position));
      assert.ok(match !== null, `${pattern} is missing, or in the wrong place:\n${output}`);
      position += match.index;
    }

    // No escape sequences, no redrawing, and no line wider than a terminal.
    assert.doesNotMatch(output, /[^\P{Cc}\n]/u);
    const tooLong = output.split("\n").filter((line) => line.length > 80);
    assert.deepEqual(tooLong, []);
  });

  const sabotages: readonly [Sabotage, number][] = [
    ["echo", 1],
    ["delay", 2],
    ["block", 3],
    ["freeze", 4],
    ["thaw", 5],
    ["session", 6],
  ];
  for (const [sabotage, number] of sabotages) {
    test(`Demo: it exits with 1 and names step ${number} if that step fails (no ${sabotage})`, async () => {
      const { status, output, errors } = await runDemo(`--sabotage=${sabotage}`);
      assert.equal(status, 1, output);
      assert.deepEqual(stepsOf(output), STEPS.slice(0, number), output);
      assert.equal(signsOf(output), `${"✓".repeat(number - 1)}✗${"–".repeat(6 - number)}`);
      const title = STEPS[number - 1]?.slice(3) ?? "";
      assert.equal(errors, `The demo failed at the step: ${title}\n`);
    });
  }

  test("Demo: --help prints help, and an unknown argument is rejected and escaped", async () => {
    const help = await runDemo("--help");
    assert.equal(help.status, 0);
    assert.match(help.output, /^npm start: /);
    const refused = await runDemo("--sabotage=\x1b[2Jeverything");
    assert.equal(refused.status, 1);
    assert.equal(refused.output, "");
    assert.match(refused.errors, /^Unknown argument: --sabotage=\\x1b\[2Jeverything\n/);
  });
});
