import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Output, Terminal } from "./terminal.js";

interface Screen {
  readonly output: Output;
  written: string;
}

/** A stream that records what is written to it, with the given properties. */
function screen(properties: Partial<Output> = {}): Screen {
  const kept = { written: "" };
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      kept.written += chunk.toString();
      done();
    },
  });
  return Object.assign(kept, { output: Object.assign(stream, properties) });
}

const tty = { isTTY: true, columns: 80, hasColors: () => true };

describe("terminal", () => {
  test("Demo: colours only on a terminal that has them, and none with NO_COLOR", () => {
    const strong = (properties: Partial<Output>, env: Record<string, string>): string =>
      new Terminal(screen(properties).output, env).style.strong("x");
    assert.equal(strong(tty, {}), "\x1b[1mx\x1b[22m");
    assert.equal(strong(tty, { NO_COLOR: "" }), "\x1b[1mx\x1b[22m");
    assert.equal(strong(tty, { NO_COLOR: "1" }), "x");
    assert.equal(strong({ ...tty, hasColors: () => false }, {}), "x");
    assert.equal(strong({}, {}), "x");
  });

  test("Demo: the live line stays below the others, and is erased at the end", async () => {
    const shown = screen(tty);
    const terminal = new Terminal(shown.output, { NO_COLOR: "1" });
    let value = 1;
    const result = await terminal.during(
      () => `live ${value}`,
      async () => {
        terminal.line("told");
        value = 2;
        await sleep(150);
        return "done";
      },
    );
    assert.equal(result, "done");
    assert.equal(shown.written, "live 1\r\x1b[Ktold\nlive 1\r\x1b[Klive 2\r\x1b[K");
  });

  test("Demo: the live line never wraps, because it could not be erased then", async () => {
    const shown = screen({ ...tty, columns: 50 });
    const terminal = new Terminal(shown.output, { NO_COLOR: "1" });
    await terminal.during(
      () => "x".repeat(100),
      () => Promise.resolve(),
    );
    assert.equal(shown.written, `${"x".repeat(49)}\r\x1b[K`);
  });

  test("Demo: without a terminal, or on a dumb one, nothing is drawn and there are no pauses", async () => {
    for (const [properties, env] of [
      [{}, {}],
      [tty, { TERM: "dumb", NO_COLOR: "1" }],
    ] as const) {
      const shown = screen(properties);
      const terminal = new Terminal(shown.output, env);
      const start = performance.now();
      await terminal.pause(5_000);
      await terminal.during(
        () => "live",
        async () => terminal.line("told"),
      );
      assert.equal(shown.written, "told\n");
      assert.ok(performance.now() - start < 10_000);
    }
  });

  test("Demo: a paragraph has a hanging indent, within the width of the terminal", () => {
    const shown = screen({ ...tty, columns: 40 });
    new Terminal(shown.output, {}).paragraph("word ".repeat(10), " 1 ", "   ", (line) => line.toUpperCase());
    assert.equal(shown.written, " 1 WORD WORD WORD WORD WORD WORD WORD\n   WORD WORD WORD\n");
  });
});
