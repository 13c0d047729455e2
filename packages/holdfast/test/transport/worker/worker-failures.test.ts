// Workers under various process flags, and workers that fail: each failure is a `WorkerError`, and the
// process exits.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { connectInWorker, InvalidArgumentError, serve, WorkerError, type Server } from "holdfast";
import { withTimeout } from "holdfast-testkit";

const PROGRAM = fileURLToPath(new URL("echo-once.js", import.meta.url));

/**
 * Time limit for a process to exit after its handles have closed. It normally exits soon, but a busy machine
 * is slow.
 */
const PATIENCE = 60_000;

const OUT_OF_MEMORY = [
  "that runs out of memory",
  "memory.mjs",
  "const all = []; for (;;) all.push(new Array(100_000).fill({}).map(() => ({})));",
  "ERR_WORKER_OUT_OF_MEMORY",
  /failed/,
] as const;

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

async function run(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Run> {
  const child = spawn(process.execPath, words, { env: { ...process.env, NODE_OPTIONS: "", ...environment } });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  try {
    await withTimeout(once(child, "close"), PATIENCE, "the end of the process");
  } finally {
    child.kill("SIGKILL");
  }
  return { ...output, code: child.exitCode };
}

/** The error that the program printed. */
const failure = ({ stdout }: Run): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

describe("Flags of the process", () => {
  let server: Server;
  let folder: string;
  const file = (name: string): string => join(folder, name);
  before(async () => {
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
    });
    folder = await mkdtemp(join(tmpdir(), "holdfast-worker-"));
    await writeFile(file("preload.mjs"), "globalThis.isPreloaded = true;\n");
    // A worker without the inherited flag dies at once.
    await writeFile(
      file("check.mjs"),
      `import { isMainThread } from "node:worker_threads";
if (!isMainThread && process.env["MUST_BE_PRELOADED"] && !globalThis.isPreloaded) process.exit(9);
if (!isMainThread && process.env["MUST_HAVE_GC"] && typeof globalThis.gc !== "function") process.exit(8);
`,
    );
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const flags = [
    ["--max-old-space-size=256"],
    ["--expose-gc"],
    ["--title=renamed"],
    ["--title", "renamed", "--enable-source-maps"],
    ["--stack-size=900", "--no-warnings"],
    ["--inspect=0"],
    ["--trace-warnings", "--max-http-header-size=20000"],
  ];
  for (const words of flags) {
    test(`B1: a worker is opened under ${words.join(" ")}, and the process ends`, async () => {
      const { stdout, code } = await run([...words, PROGRAM, server.url]);
      assert.deepEqual({ stdout, code }, { stdout: "hi\n", code: 0 });
    });
  }

  test("B1: the worker inherits the flags: modules loaded ahead, and what V8 exposes", async () => {
    const environment = { MUST_BE_PRELOADED: "1", MUST_HAVE_GC: "1" };
    const preload = (name: string): string => `--import=${pathToFileURL(file(name)).href}`;
    const words = ["--expose-gc", preload("preload.mjs"), preload("check.mjs"), PROGRAM, server.url];
    const { stdout, stderr, code } = await run(words, environment);
    assert.deepEqual({ stdout, code }, { stdout: "hi\n", code: 0 }, stderr);
  });

  test("B1: a program given on the command line opens a worker, and passes on what workers accept", async () => {
    // The program's source, without anything that depends on its location.
    const source = (await readFile(PROGRAM, "utf8"))
      .replace('"holdfast"', `"${import.meta.resolve("holdfast")}"`)
      .replace("process.argv.slice(2)", "process.argv.slice(1)");
    const preload = `--import=${pathToFileURL(file("preload.mjs")).href}`;
    const check = `--import=${pathToFileURL(file("check.mjs")).href}`;
    const ahead = ["--max-old-space-size=256", "--title", "renamed", preload, check];
    for (const words of [["--input-type=module"], ["--input-type", "module", "--expose-gc"]]) {
      const { stdout, stderr, code } = await run([...words, ...ahead, "-e", source, server.url], {
        MUST_BE_PRELOADED: "1",
      });
      assert.deepEqual({ stdout, code }, { stdout: "hi\n", code: 0 }, stderr);
    }
  });

  test("B1: a worker is opened under NODE_OPTIONS", async () => {
    const { stdout, code } = await run([PROGRAM, server.url], {
      NODE_OPTIONS: "--max-old-space-size=256 --title=renamed --enable-source-maps",
    });
    assert.deepEqual({ stdout, code }, { stdout: "hi\n", code: 0 });
  });

  test("B1: where Node forbids workers, the error is a WorkerError with Node's as its cause, and the process ends", async () => {
    const permission = process.allowedNodeEnvironmentFlags.has("--permission")
      ? "--permission"
      : "--experimental-permission";
    const net = process.allowedNodeEnvironmentFlags.has("--allow-net") ? ["--allow-net"] : [];
    const result = await run([permission, ...net, "--allow-fs-read=*", PROGRAM, server.url]);
    const { name, code, cause } = failure(result);
    assert.deepEqual([name, code, cause], ["WorkerError", "ERR_HOLDFAST_WORKER", "ERR_ACCESS_DENIED"]);
    assert.equal(result.code, 0);
  });

  const scripts = [
    ["whose script is missing", "no-such-script.mjs", null, "MODULE_NOT_FOUND", /was not found/],
    ["that throws at its start", "throws.mjs", "throw new Error('not today');", undefined, /failed/],
    ["with a syntax error", "syntax.mjs", "this is no program", undefined, /failed/],
    ["that exits at its start", "exits.mjs", "process.exit(7);", undefined, /ended, with exit code 7/],
    // Node 24 itself often ends the whole process when a worker runs out of memory.
    ...(process.versions.node.startsWith("24.") ? [] : [OUT_OF_MEMORY]),
  ] as const;
  for (const [title, name, source, cause, pattern] of scripts) {
    test(`D7: a worker ${title} is a WorkerError, without a timeout of ours, and the process ends`, async () => {
      if (source !== null) await writeFile(file(name), source);
      const result = await run(["--max-old-space-size=64", PROGRAM, server.url, file(name)]);
      const error = failure(result);
      assert.deepEqual(
        [error["name"], error["code"], error["cause"]],
        ["WorkerError", "ERR_HOLDFAST_WORKER", cause],
      );
      assert.match(String(error["message"]), pattern);
      assert.equal(result.code, 0, result.stderr);
    });
  }

  test("D7: a worker that has ended before is a WorkerError at once, also without openTimeout", async () => {
    const worker = new Worker("0", { eval: true });
    await once(worker, "exit");
    const opening = connectInWorker(server.url, { worker, openTimeout: null });
    await assert.rejects(withTimeout(opening, PATIENCE, "the error"), (error) => {
      assert(error instanceof WorkerError);
      assert.match(error.message, /has ended/);
      return true;
    });
  });

  test("D7: terminating a worker while it opens a connection is a WorkerError", async () => {
    const worker = new Worker("setInterval(() => undefined, 1000)", { eval: true });
    const opening = connectInWorker(server.url, { worker, openTimeout: null });
    await worker.terminate();
    await assert.rejects(withTimeout(opening, PATIENCE, "the error"), WorkerError);
  });

  test("B5: options that refer to themselves, or that no thread can get, are refused by name", async () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const detached = new Uint8Array(8);
    structuredClone(detached, { transfer: [detached.buffer] });
    const cases = [
      [{ tls: cycle }, /`tls\.self`/],
      [{ tls: { ca: () => undefined } }, /`tls\.ca` .* got a function/],
      [{ tls: { key: Symbol("key") } }, /`tls\.key`/],
      [{ tls: { cert: new Map() } }, /`tls\.cert`/],
    ] as const;
    for (const [options, pattern] of cases) {
      // Options of an undeclared type.
      await assert.rejects(connectInWorker(server.url, options as never), (error) => {
        assert(error instanceof InvalidArgumentError, String(error));
        assert.match(error.message, pattern);
        return true;
      });
    }
    await assert.rejects(connectInWorker(server.url, { tls: { ca: detached as Buffer } }), (error) => {
      assert(error instanceof InvalidArgumentError || error instanceof WorkerError, String(error));
      return true;
    });
  });
});
