// `holdfast completion`: each supported shell runs its script and completes.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "holdfast-testkit";
import { runCommand } from "./command.js";

const VERBS = ["connect", "ping", "watch", "publish", "serve", "doctor", "bench", "inspect", "completion"];

const missing = (program: string, option = "--version"): string | false =>
  spawnSync(program, [option]).error === undefined
    ? false
    : `${program} is not installed (scripts/install-peers.sh terminal)`;

/** Returns the output of a shell that runs `code`. */
function shell(program: string, args: readonly string[], code: string): string[] {
  const { stdout, stderr, status } = spawnSync(program, [...args, "-c", code], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", TERM: "dumb" },
    timeout: 60_000,
  });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout.split("\n").filter((line) => line !== "");
}

async function optionsInHelp(verb: string): Promise<string[]> {
  const { stdout } = await runCommand([verb, "--help"]);
  return [...stdout.matchAll(/^ {2}(?:-\w, | {4})(--[\w-]+)/gm)].map(([, option]) => option);
}

describe("holdfast completion", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-completion-"));
    for (const name of ["bash", "zsh", "fish"]) {
      const { code, stdout, stderr } = await runCommand(["completion", name]);
      assert.deepEqual([code, stderr], [0, ""]);
      await writeFile(join(folder, name), stdout);
    }
    await writeFile(join(folder, "cert file.pem"), "");
  });
  after(() => rm(folder, { recursive: true }));

  describe("bash", { skip: missing("bash") }, () => {
    const complete = (...words: readonly string[]): string[] =>
      shell(
        "bash",
        ["--norc"],
        `cd '${folder}'; source ./bash
COMP_WORDS=(holdfast ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}
_holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`,
      );

    test("K: bash completes verbs, the options of each, and nothing where a value is due", async () => {
      assert.deepEqual(complete(""), [...VERBS, "--help", "--version"]);
      assert.deepEqual(complete("co"), ["connect", "completion"]);
      for (const verb of VERBS) {
        const expected = [...(await optionsInHelp(verb)), "--help"].filter((option) =>
          option.startsWith("--"),
        );
        assert.deepEqual(complete(verb, "--"), [...new Set(expected)], verb);
      }
      assert.deepEqual(complete("connect", "--rec"), ["--reconnect"]);
      assert.deepEqual(complete("connect", "--wait", "--"), []);
      assert.deepEqual(complete("completion", "z"), ["zsh"]);
    });

    test("K: bash completes files where an option takes one", () => {
      assert.deepEqual(complete("connect", "--ca", "cert"), ["cert file.pem"]);
    });
  });

  describe("fish", { skip: missing("fish") }, () => {
    const complete = (line: string): string[] =>
      shell("fish", ["--no-config"], `cd '${folder}'; source ./fish; complete -C '${line}'`).map(
        (completion) => completion.split("\t")[0],
      );

    test("K: fish completes verbs, the options of each, files and shells", async () => {
      assert.deepEqual(complete("holdfast ").sort(), [...VERBS].sort());
      for (const verb of VERBS) {
        const expected = new Set([...(await optionsInHelp(verb)), "--help"]);
        assert.deepEqual(complete(`holdfast ${verb} --`).sort(), [...expected].sort(), verb);
      }
      assert.deepEqual(complete("holdfast connect --ca cert"), ["cert file.pem"]);
      assert.deepEqual(complete("holdfast completion "), ["bash", "zsh", "fish"].sort());
    });
  });

  describe("zsh", { skip: missing("zsh") || missing("tmux", "-V") }, () => {
    const socket = `holdfast-zsh-${process.pid}`;
    const tmux = (...words: string[]): string =>
      spawnSync("tmux", ["-L", socket, "-f", "/dev/null", ...words], { encoding: "utf8" }).stdout;
    const screenWith = async (pattern: RegExp): Promise<string> => {
      const screen = (): string => tmux("capture-pane", "-p", "-J");
      await eventually(() => pattern.test(screen()), `${String(pattern)} on the screen`, 30_000);
      return screen();
    };
    after(() => void tmux("kill-server"));

    test("K: zsh completes verbs, options and shells at its prompt", async () => {
      const begin = `cd '${folder}'; PS1='ready> '; autoload -U compinit; compinit -u -D; source ./zsh; clear`;
      tmux("new-session", "-d", "-x", "120", "-y", "50", `HOME=/nonexistent zsh -f`);
      tmux("send-keys", "-l", "--", begin);
      tmux("send-keys", "Enter");
      await screenWith(/^ready> *\n/);
      tmux("send-keys", "-l", "--", "holdfast pi\t");
      await screenWith(/ready> holdfast ping $/m);
      tmux("send-keys", "-l", "--", "--cou\t");
      await screenWith(/ready> holdfast ping --count=?$/m);
      tmux("send-keys", "C-u");
      tmux("send-keys", "-l", "--", "holdfast connect --\t\t");
      const screen = await screenWith(/--reconnect/);
      for (const option of await optionsInHelp("connect"))
        assert(screen.includes(option), `${option}\n${screen}`);
      // Not C-c, at which the terminal discards the keys that follow.
      tmux("send-keys", "C-u");
      tmux("send-keys", "-l", "--", "holdfast completion fi\t");
      await screenWith(/ready> holdfast completion fish *$/m);
      tmux("send-keys", "C-u");
      tmux("send-keys", "-l", "--", "holdfast connect --ca cert\t");
      await screenWith(/ready> holdfast connect --ca cert\\ file\.pem *$/m);
    });
  });

  test("K: completion of an unknown shell is a usage error that names the known ones", async () => {
    const { code, stdout, stderr } = await runCommand(["completion", "tcsh"]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /Expected the name of a shell \(bash, zsh, fish\), got "tcsh"/);
  });
});
