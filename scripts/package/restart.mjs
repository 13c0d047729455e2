// Tests the README's first example: its two programs run unchanged against the installed package, and the
// client survives a killed and restarted server.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "../docs/pages.mjs";
import { root } from "../lib/root.mjs";

/** How long the server is down, and the time limit of each wait, in milliseconds. */
const AWAY = 2_000;
const PATIENCE = 30_000;

/** @param {string} project a folder with the package installed in its node_modules */
export async function surviveRestart(project) {
  const port = await freePort();
  for (const { name, code } of programs()) {
    writeFileSync(join(project, name), code.replaceAll("8080", String(port)));
  }
  const running = [];
  const start = (name) => {
    const program = new Program(name, project);
    running.push(program);
    return program;
  };
  try {
    const first = start("server.js");
    await first.says(/^listening on /);
    const client = start("client.js");
    await client.says(/you said: message 2$/);
    await first.kill();
    await delay(AWAY);
    const before = echoesIn(client.lines).length;
    await start("server.js").says(/^listening on /);
    await client.says(/you said: message 10$/);
    if (!client.lines.some((line) => /^next attempt in \d+ ms$/.test(line))) {
      throw new Error(`Expected the client to print its attempts, got ${client.lines.join(", ")}`);
    }
    checkOrder(echoesIn(client.lines), before);
  } finally {
    await Promise.all(running.map((program) => program.kill()));
  }
}

/** The lines that are messages, without those about attempts. */
function echoesIn(lines) {
  return lines.filter((line) => line.startsWith("you said: "));
}

/**
 * Messages sent while the server was down were echoed; at most those in flight when it was killed are lost.
 */
function checkOrder(lines, before) {
  const numbers = lines.map((line) => Number(/message (\d+)$/.exec(line)?.[1]));
  const after = numbers.slice(before);
  const isInOrder = numbers.every((number, index) => index === 0 || number > numbers[index - 1]);
  const isWhole = after.every((number, index) => number === after[0] + index);
  if (!isInOrder || !isWhole || after[0] > numbers[before - 1] + 2) {
    throw new Error(`Expected every message once and in order, got ${lines.join(", ")}`);
  }
}

/** The blocks of the README that are marked with a file name. */
function programs() {
  const { blocks } = parse("README.md", readFileSync(join(root, "README.md"), "utf8"));
  const named = blocks.flatMap(({ flags, code }) => {
    const name = flags.find((flag) => flag.startsWith("file="))?.slice("file=".length);
    return name === undefined ? [] : [{ name, code }];
  });
  if (named.length !== 2) throw new Error(`Expected two programs in the README, got ${named.length}`);
  return named;
}

class Program {
  lines = [];
  #name;
  #child;
  #exit;
  #onLine = () => {};

  constructor(name, folder) {
    this.#name = name;
    this.#child = spawn(process.execPath, [name], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    this.#exit = new Promise((resolve) => this.#child.once("close", resolve));
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.lines.push(line);
      this.#onLine();
    });
  }

  /** Resolves once the process has printed a matching line. */
  async says(pattern) {
    const ended = this.#exit.then(() => true);
    const late = delay(PATIENCE, true, { ref: false });
    while (!this.lines.some((line) => pattern.test(line))) {
      const more = new Promise((resolve) => (this.#onLine = () => resolve(false)));
      if (await Promise.race([more, ended, late])) {
        throw new Error(`Expected ${this.#name} to write ${pattern}, got ${this.lines.join(", ")}`);
      }
    }
  }

  async kill() {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }
}

async function freePort() {
  const server = createServer().listen(0);
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
