import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect, serve, type Server } from "holdfast";
import { eventually } from "holdfast-testkit";
import { MAIN } from "./command.js";

const hasTmux = spawnSync("tmux", ["-V"]).status === 0;
const skip = hasTmux ? false : "tmux is not installed (scripts/install-peers.sh terminal)";

describe("On a terminal", { skip, timeout: 300_000 }, () => {
  // Each test has its own tmux server: one that is being killed may still accept commands.
  let count = 0;
  let socket: string;
  const tmux = (...words: string[]): string =>
    execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...words], { encoding: "utf8" });
  let server: Server;

  beforeEach(async () => {
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
    });
    socket = `holdfast-test-${process.pid}-${++count}`;
    tmux("new-session", "-d", "-x", "90", "-y", "20", shellLine("connect", "--proxy", "none", server.url));
  });
  afterEach(async () => {
    await server.close();
    tmux("kill-server");
  });

  const shellLine = (...words: readonly string[]): string =>
    `'${process.execPath}' '${MAIN}' ${words.join(" ")}; echo "exit $?"; sleep 60`;
  /** Replaces the command that the test started with. */
  const run = (...words: readonly string[]): string =>
    tmux("respawn-window", "-k", shellLine(...words, "--proxy", "none", server.url));

  /** The screen once it shows the pattern, with every time as T. */
  async function screenWith(pattern: RegExp): Promise<string> {
    for (let attempt = 0; attempt < 300; attempt++) {
      const screen = tmux("capture-pane", "-p")
        .trimEnd()
        .replaceAll(/\d\d:\d\d:\d\d/g, "T");
      if (pattern.test(screen)) return screen.replaceAll(/:\d+\//g, ":PORT/");
      await sleep(100);
    }
    throw new Error(`Expected ${String(pattern)} on the screen:\n${tmux("capture-pane", "-p")}`);
  }

  test("K: connect shows messages above the line that is being typed, and escapes control characters", async () => {
    await screenWith(/connected to/);
    tmux("send-keys", "hello", "Enter");
    await screenWith(/< hello/);
    tmux("send-keys", "half ty");
    await screenWith(/> half ty$/);
    for (const connection of server.connections) await connection.send("beep\x07 \x1b[2J");
    const screen = await screenWith(/< beep/);
    assert.equal(
      screen.replace(/\nopen · .*/, "\nSTATUS"),
      `T = connected to ws://127.0.0.1:PORT/; /help lists commands, Ctrl-D closes
T > hello
T < hello
T < beep\\u0007 \\u001b[2J
STATUS
> half ty`,
    );
    tmux("send-keys", "C-c");
    assert.match(await screenWith(/exit/), /closed: sent 1000 \(OK\); then received 1000 \(OK\)\nexit 0$/);
  });

  test("K: connect shows state and latency above the prompt, and erases them at the end", async () => {
    await screenWith(/\nopen · \d\S* ms [▁▂▃▄▅▆▇█]+\n>$/);
    tmux("send-keys", "/ping", "Enter");
    await screenWith(/\nopen · \d\S* ms [▁▂▃▄▅▆▇█]{2}\n>$/);
    tmux("send-keys", "C-d");
    assert.doesNotMatch(await screenWith(/exit 0$/), /open ·/);
  });

  test("K: a line of several rows, also with wide characters, stays complete while messages arrive, and is erased completely", async () => {
    await screenWith(/\nopen · /);
    const typed = `${"long ".repeat(20)}${"漢字".repeat(25)} end`;
    tmux("send-keys", "-l", typed);
    await screenWith(/ end$/);
    for (const connection of server.connections) for (const n of [1, 2]) await connection.send(`tick ${n}`);
    const before = await screenWith(/< tick 2\n/);
    const rows = before.split("\n");
    assert.deepEqual(rows.slice(1, 3), ["T < tick 1", "T < tick 2"], before);
    assert.match(rows[3] ?? "", /^open · /);
    assert.equal(rows.slice(4).join("").replaceAll(" ", ""), `> ${typed}`.replaceAll(" ", ""));
    tmux("send-keys", "Enter");
    const after = await screenWith(/< long[^]*\n>$/);
    assert.equal(after.match(/漢字 end/g)?.length, 2, after); // Once sent, once echoed; not a third time.
    assert.equal(after.match(/open · /g)?.length, 1, after);
  });

  test("K: a terminal that reports no size shows no broken escape sequences", async () => {
    const command = shellLine("connect", "--proxy", "none", server.url);
    tmux("respawn-window", "-k", `stty cols 0 rows 0; ${command}`);
    await screenWith(/\nopen · /);
    tmux("send-keys", "hello", "Enter");
    await screenWith(/< hello/);
    tmux("send-keys", "C-d");
    assert.doesNotMatch(await screenWith(/exit 0$/), /aNA|nfinity/); // After the letter that ends the sequence.
  });

  test("K: with TERM=dumb no escape sequence is written, and lines and commands work", async () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
    const file = join(folder, "output");
    const command = shellLine("connect", "--proxy", "none", server.url);
    tmux("respawn-window", "-k", `sleep 1; TERM=dumb; ${command}`);
    tmux("pipe-pane", `cat > '${file}'`);
    await screenWith(/connected to/);
    tmux("send-keys", "hello", "Enter");
    await screenWith(/< hello/);
    tmux("send-keys", "/ping", "Enter");
    await screenWith(/ms$/);
    tmux("send-keys", "C-d");
    await screenWith(/exit 0$/);
    let output = "";
    await eventually(() => (output = readFileSync(file, "utf8")).includes("exit 0"), "the whole output");
    assert.match(output, /< hello/);
    assert(!output.includes("\x1b"), output);
    rmSync(folder, { recursive: true });
  });

  test("K: /close with any code that the peer answers is a success", async () => {
    await screenWith(/connected to/);
    tmux("send-keys", "/close 4001 bye", "Enter");
    assert.match(await screenWith(/exit/), /closed: sent 4001[^\n]*\nexit 0$/);
  });

  test("K: a narrower terminal cuts the status, but not the typed line", async () => {
    await screenWith(/\nopen · /);
    tmux("send-keys", "half ty");
    await screenWith(/> half ty$/);
    tmux("resize-window", "-x", "14", "-y", "20");
    const screen = await screenWith(/(^|\n)open ·[^\n]*…\n> half ty$/);
    assert.equal(screen.match(/open ·/g)?.length, 1, screen);
    for (const row of screen.split("\n")) assert(row.length <= 14, row);
  });

  test("K: long text is cut on a terminal, as long binary messages are, and --full shows it whole", async () => {
    const long = `${"x".repeat(499)}😀${"y".repeat(300)}END`;
    await screenWith(/connected to/);
    for (const connection of server.connections) await connection.send(long);
    const cut = await screenWith(/< \[text/);
    assert.match(cut.replaceAll("\n", ""), /< \[text, 806 bytes\] x{499} …/);
    assert.doesNotMatch(cut, /END/);
    for (const verb of ["connect", "watch"]) {
      run(verb, "--full");
      await screenWith(/connected to|open:/);
      for (const connection of server.connections) {
        await connection.send(long);
        await connection.send(new Uint8Array(100).fill(0xab));
      }
      const whole = (await screenWith(/binary, 100 bytes\][^]*(ab\s*){100}/)).replaceAll("\n", "");
      assert.match(whole, /< x{499}😀y{300}END/);
    }
    run("watch");
    await screenWith(/open:/);
    for (const connection of server.connections) await connection.send(long);
    assert.match((await screenWith(/< \[text/)).replaceAll("\n", ""), /< \[text, 806 bytes\] x{499} …/);
  });

  test("K: connect --reconnect shows the end and the next connection above the line, and keeps the typed text", async () => {
    run("connect", "--reconnect");
    await screenWith(/connected to/);
    const { port } = server;
    await server.close();
    await screenWith(/next attempt in \d/);
    tmux("send-keys", "while you were away", "Enter");
    await screenWith(/The message waits for the next connection\./);
    await screenWith(/\ndisconnected\n>/);
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
      port,
    });
    const screen = await screenWith(/< while you were away[^]*open · /);
    assert.equal(screen.match(/connected to/g)?.length, 2, screen);
    tmux("send-keys", "C-d");
    assert.match(await screenWith(/exit/), /closed: sent 1000 \(OK\); then received 1000 \(OK\)\nexit 0$/);
  });

  test("P1: inspect follows a key that is held, within the server's limit, and stays on pages that exist", async () => {
    inspect(server, { authorize: () => true });
    run("inspect");
    await screenWith(/connections, by trouble: none/);
    for (let presses = 0; presses < 45; presses++) tmux("send-keys", "e");
    await screenWith(/endings, newest first: (none|1–1 of 1)\n/);
    for (let presses = 0; presses < 30; presses++) tmux("send-keys", "n");
    await screenWith(/endings, newest first: (none|1–1 of 1)\n/);
    tmux("send-keys", "q");
    await screenWith(/exit 0$/);
  });
});
