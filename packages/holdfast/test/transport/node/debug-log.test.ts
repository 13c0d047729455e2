import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { debugLog } from "../../../build/transport/node/debug-log.js";

const run = promisify(execFile);

/** The output of a process with a client and a server of this library. */
async function conversation(variable: string | null) {
  const script = fileURLToPath(new URL("./conversation.js", import.meta.url));
  const { HOLDFAST_DEBUG: _inherited, ...env } = process.env;
  const given = variable === null ? {} : { HOLDFAST_DEBUG: variable };
  return run(process.execPath, [script], { env: { ...env, ...given }, timeout: 60_000 });
}

/** The lines that a topic shows, given one of each kind. */
function shown(value: string): string | null {
  let text = "";
  const log = debugLog(value, { write: (line) => (text += line.charAt(0)) });
  for (const prefix of "><=%-!") log?.debug(`${prefix} line`);
  return log === null ? null : text;
}

describe("HOLDFAST_DEBUG", () => {
  test("J1: without it nothing is printed", async () => {
    assert.deepEqual(await conversation(null), { stdout: "", stderr: "" });
  });

  test("J1: HOLDFAST_DEBUG=1 shows both sides' frames on stderr, each with its connection, and no secret", async () => {
    const { stdout, stderr } = await conversation("1");
    assert.equal(stdout, "");
    const lines = stderr.trimEnd().split("\n");
    for (const line of lines) assert.match(line, /^[><=%!-] \S/);
    assert.doesNotMatch(stderr, /s3cret|czNjcmV0/); // The same in base64.
    // Only the first line is printed before there are two connections.
    const bare = lines.map((line) => line.replace(/ +\((client|server) [0-9a-f]{10}-\w+\)$/, ""));
    const frames = bare.filter((line) => /^[<>] (TEXT|CLOSE|PING 'now)/.test(line));
    const both = (frame: string) => [`> ${frame}`, `< ${frame}`];
    assert.deepEqual(
      frames,
      [
        ...both("TEXT 'Hello' [5 bytes]"),
        ...both("TEXT 'Hello' [5 bytes]"),
        ...both("PING 'now?' [text, 4 bytes]"),
        ...both("CLOSE 1000 (OK) bye [5 bytes]"),
        ...both("CLOSE 1000 (OK) bye [5 bytes]"),
      ],
      stderr,
    );
    const sides = new Map(
      lines.flatMap((line) => {
        const match = /\((client|server) (\S+)\)$/.exec(line);
        return match === null ? [] : [[match[2], match[1]]];
      }),
    );
    assert.deepEqual([...sides.values()].sort(), ["client", "server"]);
    const closed = lines.filter((line) => line.startsWith("= connection closed"));
    assert.equal(closed.length, 2);
    for (const line of closed) {
      assert.match(line, / id=\S+ side=(client|server) code=1000 cause=(local|peer)-close .*duration=\d/);
    }
  });

  test("J1: the given logger still gets everything", async () => {
    const { stderr } = await conversation("given");
    assert.match(stderr, /^given: info connection open$/m);
    assert.match(stderr, /^given: debug > TEXT 'Hello' \[5 bytes\]$/m);
  });

  test("J1: topics: everything, frames, heartbeat, both, none", () => {
    assert.deepEqual(
      ["1", "all", "frames", "heartbeat", "Frames, heartbeat", "what?", "0", "false", "", ","].map(shown),
      ["><=%-!", "><=%-!", "><=!", "=%-!", "><=%-!", "><=%-!", null, null, null, null],
    );
  });

  test("J1: one connection needs no name, several do; and details are printed in one line", () => {
    const lines: string[] = [];
    const log = debugLog("1", { write: (line) => lines.push(line) });
    assert(log !== null);
    log.debug("> TEXT 'a' [1 byte]", { id: "x-1", side: "client" });
    log.debug("> TEXT 'b' [1 byte]", { id: "x-2", side: "server" });
    log.info("connection open", {
      id: "x-2",
      remoteAddress: { address: "::1", port: 80 },
      subprotocol: null,
      extensions: [],
      reason: "two words\n",
      duration: 12.3456,
    });
    log.warn("connection closed", { id: "x-2", error: new Error("read ECONNRESET") });
    log.debug("> TEXT 'c' [1 byte]", { id: "x-1", side: "client" });
    const error = new Error("boom");
    error.stack = "Error: boom\n    at somewhere";
    log.error("connection handler failed", { id: "x-1", error });
    assert.deepEqual(lines, [
      "> TEXT 'a' [1 byte]\n",
      `${"> TEXT 'b' [1 byte]".padEnd(56)} (server x-2)\n`,
      '= connection open id=x-2 remoteAddress=::1:80 reason="two words\\n" duration=12.3\n',
      '! connection closed id=x-2 error="read ECONNRESET"\n',
      "> TEXT 'c' [1 byte]\n",
      "! connection handler failed id=x-1\n",
      "! Error: boom\n!     at somewhere\n",
    ]);
  });
});
