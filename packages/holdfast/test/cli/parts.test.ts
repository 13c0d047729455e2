import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseArguments } from "../../build/cli/arguments/arguments.js";
import { parseDuration } from "../../build/cli/arguments/duration.js";
import { parseCommand } from "../../build/cli/connect/commands.js";
import { completeURL } from "../../build/cli/connection/peer-options.js";
import { idleFinding } from "../../build/cli/doctor/idle.js";
import { summarise, summaryLines } from "../../build/cli/ping/summary.js";
import { escaped } from "../../build/cli/terminal/escape.js";
import { jsonLine } from "../../build/cli/terminal/json.js";
import { sparkline } from "../../build/cli/terminal/sparkline.js";
import { allowsColor } from "../../build/cli/terminal/style.js";

describe("Parts of the command holdfast", () => {
  test("K: durations have units, and a plain number has the option's unit", () => {
    const texts = ["500ms", "20s", "1.5m", "2", ".5", "0", "-1", "2 s", "soon", "", "9999h"];
    assert.deepEqual(
      texts.map((text) => parseDuration(text, "s")),
      [500, 20_000, 90_000, 2000, 500, null, null, null, null, null, null],
    );
    assert.equal(parseDuration("2", "ms"), 2);
  });

  test("K: a URL without a scheme gets one, and a port is one of this machine, with or without a colon", () => {
    const operands = [
      "example.com/feed",
      "127.0.0.1",
      "1.2.3.4:80",
      ":8080",
      "8080",
      "8080/chat",
      "wss://8080",
    ];
    assert.deepEqual(operands.map(completeURL), [
      "ws://example.com/feed",
      "ws://127.0.0.1",
      "ws://1.2.3.4:80",
      "ws://localhost:8080",
      "ws://localhost:8080",
      "ws://localhost:8080/chat",
      "wss://8080",
    ]);
  });

  test("K: an option without its value, given twice, or a switch with a value is a usage error", () => {
    const specs = { count: { short: "c", value: "N", help: "" }, json: { help: "" } };
    const messageFor = (...words: string[]): string => {
      try {
        parseArguments(words, specs);
        return "fine";
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.equal(messageFor("--count", "--json"), "`--count` needs a value: --count N.");
    assert.equal(messageFor("-c"), "`-c` needs a value: -c N.");
    assert.equal(messageFor("-c", "1", "-c", "2"), "`-c` was given more than once.");
    assert.equal(messageFor("--json=yes"), '`--json` is a switch and takes no value, got "yes".');
    assert.equal(messageFor("--jsno"), 'There is no option `--jsno`. Did you mean "--json"?');
    assert.equal(messageFor("--count=3", "--json", "--", "--other"), "fine");
  });

  test("K: the summary of pings has loss, mean, jitter and nearest-rank percentiles", () => {
    assert.deepEqual(summaryLines("ws://h/", summarise(5, [10, 20, 15, 30])), [
      "--- ws://h/ ---",
      "5 pings sent, 4 answered, 20 % lost",
      "min/avg/max/jitter = 10.0/18.8/30.0/10.0 ms",
      "p50/p95/p99 = 15.0/30.0/30.0 ms",
    ]);
    assert.deepEqual(summaryLines("ws://h/", summarise(1, [])), [
      "--- ws://h/ ---",
      "1 ping sent, 0 answered, 100 % lost",
    ]);
  });

  test("K: a sparkline shows the newest samples and losses, without exaggerating noise", () => {
    assert.equal(sparkline([5, 1, 8, null, 4.5], 4), "▁█×▅");
    assert.equal(sparkline([1, 1.1, 1], 10), "▁▂▁");
    assert.equal(sparkline([null, null], 10), "××");
    assert.equal(sparkline([], 10), "");
  });

  test("K: control characters and direction changes are escaped", () => {
    assert.equal(escaped("a\x1b[2J\n\t\x07\x9b\u202eb é 😀"), "a\\u001b[2J\\n\\t\\u0007\\u009b\\u202eb é 😀");
  });

  test("K: JSON escapes all control characters, including those that JSON permits, and parses to the same value", () => {
    const value = { text: "a\x1b[2J\x7f\x9b31m\u202eb \u00e9" };
    const line = jsonLine(value);
    assert.equal(line, '{"text":"a\\u001b[2J\\u007f\\u009b31m\\u202eb \u00e9"}');
    assert.deepEqual(JSON.parse(line), value);
  });

  test("K: NO_COLOR and FORCE_COLOR take precedence over the terminal", () => {
    assert.deepEqual(
      [{}, { NO_COLOR: "1" }, { NO_COLOR: "" }, { FORCE_COLOR: "0" }, { TERM: "dumb" }].map((environment) =>
        allowsColor(true, environment),
      ),
      [true, false, true, false, false],
    );
    assert.deepEqual([allowsColor(false, {}), allowsColor(false, { FORCE_COLOR: "1" })], [false, true]);
  });

  test("K: a typed line is a message, or a command with a slash", () => {
    assert.deepEqual(
      ["hi", "//hi", "/ping a b", "/close", "/close 4000 so long", "/binary 00 ff"].map(parseCommand),
      [
        { kind: "send", data: "hi" },
        { kind: "send", data: "/hi" },
        { kind: "ping", payload: "a b" },
        { kind: "close", code: 1000, reason: "" },
        { kind: "close", code: 4000, reason: "so long" },
        { kind: "send", data: Uint8Array.of(0, 255) },
      ],
    );
    const mistakes = ["/binary 0", "/close soon", "/close 1006", "/pnig"].map(parseCommand);
    assert.deepEqual(
      mistakes.map(({ kind }) => kind),
      ["mistake", "mistake", "mistake", "mistake"],
    );
  });

  test("K: a server that restarts during the check, or closes by its own decision, is no idle timeout", () => {
    const closed = (code: number) =>
      ({ kind: "ended", held: 8000, message: `received ${code}`, code }) as const;
    assert.deepEqual(idleFinding([{ kind: "alive", idle: 2000, held: 2000 }, closed(1001), closed(1001)]), {
      check: "idle",
      verdict: "warning",
      text: "the server closed the connections after 8.0 s (received 1001)",
      advice:
        "It restarts or shuts down, which is no idle timeout: persistent connections reconnect. Run the check again; if it takes the same time again, set `pingInterval` to 4000 or less.",
    });
    assert.match(idleFinding([closed(4001)]).advice ?? "", /the server's own decision/);
    assert.match(
      idleFinding([closed(1012), { kind: "cut", idle: 900, message: "" }]).text,
      /cut after 0\.9 s/,
    );
  });

  test("K: a silent cut-off is found between the longest idle time that survived and the shortest that did not", () => {
    const alive = (idle: number) => ({ kind: "alive", idle, held: idle }) as const;
    assert.deepEqual(idleFinding([alive(2000), alive(5000), { kind: "forgotten", idle: 10_000 }]), {
      check: "idle",
      verdict: "warning",
      text: "idle connections are silently forgotten after between 5.0 s and 10.0 s",
      advice: "Set `pingInterval` to 2500 or less, or raise the timeout of the proxy or server in between.",
    });
    assert.equal(idleFinding([alive(2000)]).verdict, "ok");
  });

  test("K: connections on which the server sends are not called idle", () => {
    assert.deepEqual(idleFinding([{ kind: "alive", idle: 1000, held: 8000 }]), {
      check: "idle",
      verdict: "ok",
      text: "connections stay open for 8.0 s; the server sends something at least every 1.0 s, so they are never idle for longer",
    });
    const cut = { kind: "ended", held: 3300, message: "no Close", code: null } as const;
    const { text } = idleFinding([{ kind: "alive", idle: 1000, held: 2000 }, cut]);
    assert.equal(text, "connections that were not idle were cut after 3.3 s (no Close)");
  });
});
