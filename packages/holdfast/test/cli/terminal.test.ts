import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { serve, type Server } from "holdfast";
import { MAIN } from "./command.js";

const hasTmux = spawnSync("tmux", ["-V"]).status === 0;
const skip = hasTmux ? false : "tmux is not installed (scripts/install-peers.sh terminal)";

describe("On a terminal", { skip }, () => {
  const socket = `holdfast-test-${process.pid}`;
  const tmux = (...words: string[]): string =>
    execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...words], { encoding: "utf8" });
  let server: Server;

  beforeEach(async () => {
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
    });
    const command = `'${process.execPath}' '${MAIN}' connect --proxy none ${server.url}; echo "exit $?"; sleep 60`;
    tmux("new-session", "-d", "-x", "90", "-y", "20", command);
  });
  afterEach(async () => {
    tmux("kill-server");
    await server.close();
  });

  /** The screen once it shows the pattern, with every time as T. */
  async function screenWith(pattern: RegExp): Promise<string> {
    for (let attempt = 0; attempt < 150; attempt++) {
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
      screen,
      `T = connected to ws://127.0.0.1:PORT/; /help lists commands, Ctrl-D closes
T > hello
T < hello
T < beep\\u0007 \\u001b[2J
> half ty`,
    );
    tmux("send-keys", "C-c");
    assert.match(await screenWith(/exit/), /closed: sent 1000 \(OK\); then received 1000 \(OK\)\nexit 0$/);
  });
});
