import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { serve, type ServerConnection } from "../../build/index.js";
import { Histogram } from "../../build/cli/bench/histogram.js";
import { Payloads } from "../../build/cli/bench/payload.js";
import { Ring } from "../../build/cli/bench/ring.js";
import { slowness } from "holdfast-testkit";
import { Command, runCommand } from "./command.js";

interface Summary {
  readonly type: string;
  readonly opened: number;
  readonly sent: number;
  readonly echoed: number;
  readonly unsent: number;
  readonly others: number;
  readonly latency: Record<string, number>;
  readonly lateness: Record<string, number>;
  readonly problems: readonly { readonly cause: string; readonly count: number }[];
}

const echo = (connection: ServerConnection): Promise<unknown> =>
  connection.forEach((message) => connection.send(message));

describe("holdfast bench", () => {
  test("K: bench sends the requested number of messages, compares each echo, and prints a summary", async () => {
    await using server = await serve(echo, { host: "127.0.0.1" });
    const words = ["bench", "-c", "3", "-p", "4", "-n", "300", "-s", "1k", server.url];
    const { code, stdout, stderr } = await runCommand(words);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /^BENCH ws:\S+: 3 connections, 4 in flight on each, 1,024 bytes of text, 10 s\n/);
    assert.match(stdout, /^connections +3 of 3 opened in /m);
    assert.match(stdout, /^messages +300 echoed in \d+\.\d s: [\d,]+\/s, [\d.]+ MB\/s each way$/m);
    assert.match(stdout, /^latency +min\/avg\/max \S+ ms, p50\/p90\/p99\/p99\.9 \S+ ms$/m);
    assert.match(stdout, /^note: the server is on this machine/m);
  });

  for (const options of [["--binary"], ["--compress"], ["-s", "0"]]) {
    test(`K: bench ${options.join(" ")} receives correct echoes`, async () => {
      await using server = await serve(echo, { compression: true });
      const { code, summary } = await benchJSON("-c", "2", "-n", "20", ...options, server.url);
      const { sent, echoed, problems } = summary;
      assert.deepEqual({ code, sent, echoed, problems }, { code: 0, sent: 20, echoed: 20, problems: [] });
    });
  }

  test("K: bench --rate counts a server's stall against all messages that it delayed", async () => {
    let isFirst = true;
    await using server = await serve(async (connection) => {
      let count = 0;
      const isProbe = isFirst;
      isFirst = false;
      await connection.forEach(async (message) => {
        // Only one message is in flight, so the others are delayed. Counted from when they were sent, only one would be slow.
        if (++count === 10 && !isProbe) await new Promise((resolve) => setTimeout(resolve, 500));
        await connection.send(message);
      });
    });
    const { code, summary } = await benchJSON("-c", "1", "-p", "1", "-n", "150", "--rate", "200", server.url);
    assert.equal(code, 0);
    assert.equal(summary.echoed, 150);
    // About a hundred were due during the stall, and waited half of it on average.
    assert((summary.latency["p50"] ?? 0) > 100, JSON.stringify(summary.latency));
  });

  test("K: bench --rate sends the first message at once, and none at the end", async () => {
    await using server = await serve(echo);
    const { summary } = await benchJSON("-c", "1", "-d", "2", "--rate", "1", server.url);
    assert.equal(summary.sent, 2);
    // One interval is 1,000 ms.
    assert((summary.lateness["min"] ?? 1000) < 900, JSON.stringify(summary.lateness));
  });

  test("K: bench reports a server that does not echo, instead of waiting", async () => {
    await using silent = await serve((connection) => connection.forEach(() => undefined));
    const late = await runCommand(["bench", "-W", "0.3", silent.url]);
    assert.deepEqual(late, {
      code: 3,
      stdout: "",
      stderr: "holdfast: This server does not echo: no echo was received within 0.3 s.\n",
    });
    await using other = await serve((connection) => connection.forEach(() => connection.send("no\x1b[2J")));
    const wrong = await runCommand(["bench", other.url]);
    assert.deepEqual(wrong, {
      code: 1,
      stdout: "",
      stderr: 'holdfast: This server does not echo: got "no\\u001b[2J".\n',
    });
  });

  test("K: bench counts changed echoes, ended connections and other messages by cause", async () => {
    let count = 0;
    await using server = await serve(async (connection) => {
      const number = count++;
      await connection.send("welcome");
      let received = 0;
      await connection.forEach(async (message) => {
        received++;
        if (number === 2 && received === 3) await connection.close(1013, "enough");
        const isChanged = number === 1 && received === 2;
        await connection.send(isChanged ? "0".repeat(message.length) : message).catch(() => undefined);
      });
    });
    const { code, summary } = await benchJSON("-c", "2", "-n", "40", server.url);
    assert.equal(code, 1);
    assert.equal(summary.others, 2);
    assert.deepEqual(
      summary.problems.map(({ cause, count: times }) => ({ cause, times })),
      [
        { cause: "changed", times: 1 },
        { cause: "peer-close", times: 1 },
      ],
    );
  });

  test("K: bench ends a connection whose echoes stop, and exits with 3", async () => {
    let count = 0;
    await using server = await serve(async (connection) => {
      const isProbe = count++ === 0;
      let received = 0;
      await connection.forEach((message) =>
        isProbe || ++received < 5 ? connection.send(message) : undefined,
      );
    });
    const { code, summary } = await benchJSON(
      "-c",
      "2",
      "-p",
      "3",
      "-W",
      String(0.5 * slowness()),
      server.url,
    );
    assert.equal(code, 3);
    assert.deepEqual(
      summary.problems.map(({ cause, count: times }) => ({ cause, times })),
      [{ cause: "no-echo", times: 6 }],
    );
  });

  test("K: Ctrl-C ends bench early, with its summary, exit code 0", async () => {
    await using server = await serve(echo);
    const command = new Command(["bench", "--json", "-d", "60", "--rate", "50", server.url]);
    await command.printed(/"progress"/);
    command.kill("SIGINT");
    const { code, stdout } = await command.ended();
    const summary = lastSummary(stdout);
    assert.equal(code, 0);
    assert(summary.echoed > 0);
  });

  test("K: bench rejects invalid options with one helpful line", async () => {
    for (const [words, message] of [
      [["-s", "big"], /^holdfast: Expected `--size` to be a number of bytes such as 64, 16k or 1m/],
      [["-d", "off"], /^holdfast: Expected `--duration` to be a duration/],
      [["--conections", "3"], /Did you mean "--connections"\?/],
    ] as const) {
      const { code, stdout, stderr } = await runCommand(["bench", ...words, "ws://127.0.0.1:1/"]);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
      assert.match(stderr, message);
    }
    const refused = await runCommand(["bench", "ws://127.0.0.1:1/"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Nothing listens at/);
  });

  test("K: the percentiles of bench are accurate to within one percent", () => {
    const duration = fc.double({ min: 0.001, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 200 }), (durations) => {
        const histogram = new Histogram();
        for (const one of durations) histogram.record(one);
        const sorted = Float64Array.from(durations).sort();
        const found = histogram.distribution;
        assert(found !== null);
        assert.deepEqual([found.min, found.max], [sorted[0], sorted[sorted.length - 1]]);
        for (const [rank, value] of [
          [50, found.p50],
          [90, found.p90],
          [99, found.p99],
        ] as const) {
          const exact = sorted[Math.ceil((rank / 100) * sorted.length) - 1] ?? NaN;
          assert(Math.abs(value - exact) <= exact * 0.01 + 0.001, `p${rank}: ${value} for ${exact}`);
        }
      }),
    );
  });

  test("K: the queue of messages in flight is first in, first out, also while it grows", () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.nat(), { nil: null }), { minLength: 60, maxLength: 300 }),
        (steps) => {
          const ring = new Ring();
          const model: number[] = [];
          for (const step of steps) {
            if (step === null) assert.equal(ring.shift(), model.shift() ?? NaN);
            else {
              model.push(step);
              ring.push(step);
            }
            assert.equal(ring.length, model.length);
          }
        },
      ),
    );
  });

  test("K: an echo is distinguished from changed, swapped and other messages", () => {
    const payloads = new Payloads(32, false);
    const checks = [payloads.at(0), payloads.at(1), "hello", Buffer.from(String(payloads.at(0)))];
    assert.deepEqual(
      checks.map((message) => payloads.check(0, message)),
      ["echo", "changed", "other", "other"],
    );
  });
});

async function benchJSON(...words: string[]): Promise<{ code: number | null; summary: Summary }> {
  const { code, stdout } = await runCommand(["bench", "--json", ...words]);
  return { code, summary: lastSummary(stdout) };
}

function lastSummary(stdout: string): Summary {
  const summary = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Summary;
  assert.equal(summary.type, "summary");
  return summary;
}
