import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { getEventListeners } from "node:events";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  connect,
  InvalidArgumentError,
  serve,
  type Connection,
  type ServeOptions,
  type Server,
} from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  RawClient,
  testCertificates,
  withTimeout,
  type ResourceCounts,
} from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";

describe("The end of a server", () => {
  let resources: ResourceCounts;
  let server: Server | null = null;
  const { logger, lines } = recordingLogger();

  beforeEach(() => {
    resources = activeResources();
    lines.length = 0;
  });
  afterEach(async () => {
    await server?.close();
    server = null;
    await assertNothingLeft(resources);
  });

  const start = async (
    handler: (connection: Connection) => unknown = () => undefined,
    options: ServeOptions = {},
  ): Promise<Server> => (server = await serve(handler, { host: "127.0.0.1", logger, ...options }));

  test("G4: a signal that has aborted rejects serve() with its reason, and nothing listens", async () => {
    const path = join(tmpdir(), `holdfast-${process.pid}-aborted.sock`);
    const reason = new Error("not now");
    const late = new AbortController();
    for (const [signal, options] of [
      [AbortSignal.abort(reason), {}],
      [AbortSignal.abort(reason), { path }],
      [late.signal, { path }],
    ] as const) {
      const starting = serve(() => undefined, { ...options, signal });
      if (signal === late.signal) late.abort(reason);
      await assert.rejects(starting, (error) => error === reason);
      assert.equal(existsSync(path), false);
    }
  });

  test("G4: a signal that aborts later closes the server, as close() does", async () => {
    const aborter = new AbortController();
    const { url, connections } = (server = await start(undefined, { signal: aborter.signal }));
    const connection = await connect(url);
    aborter.abort();
    const { code, ok } = await connection.closed;
    assert.deepEqual([code, ok, connections.size <= 1], [1001, true, true]);
    await server.close(); // The same closing.
    assert.equal(connections.size, 0);
    await assert.rejects(connect(url), { failure: "refused" });
  });

  test("G4: a server that has closed leaves no listener at the signal", async () => {
    const { signal } = new AbortController();
    await (await start(undefined, { signal })).close();
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  test("G4: while connections close, new clients get 503 with Retry-After; then the port is free", async () => {
    const { port } = await start();
    await using stuck = await RawClient.connect({ port });
    await stuck.upgrade();
    await using waiting = await RawClient.connect({ port });
    waiting.write("GET / HTTP/1.1\r\n");
    await waiting.flushed();
    const closing = server?.close({ timeout: 20_000 });
    for (const client of [waiting, await RawClient.connect({ port })]) {
      client.write(client === waiting ? "Host: a\r\n\r\n" : "");
      if (client !== waiting) client.sendUpgrade();
      const head = await client.readHead();
      assert.deepEqual(
        [head.startLine, head.header("Retry-After"), head.header("Connection"), head.header("Content-Type")],
        ["HTTP/1.1 503 Service Unavailable", "5", "close", "text/plain; charset=utf-8"],
      );
      assert.equal(Buffer.from(await client.readToEnd()).toString(), "The server is shutting down.");
      await client.close();
    }
    await stuck.close();
    await closing;
    await using successor = await serve(() => undefined, { host: "127.0.0.1", port });
    assert.equal(successor.port, port);
    assert.deepEqual(
      lines.map(({ message, details }) => [message, (details as { status: number }).status]),
      [
        ["connection refused", 503],
        ["connection refused", 503],
      ],
    );
  });

  test("G4: an upgrade that onRequest has not decided is refused at once; a plain request gets its answer", async () => {
    let answer: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (answer = resolve));
    const { port } = await start(() => undefined, {
      onRequest: async ({ isUpgrade }) => {
        await asked;
        return isUpgrade ? undefined : new Response("healthy");
      },
    });
    await using upgrading = await RawClient.connect({ port });
    upgrading.sendUpgrade();
    await using plain = await RawClient.connect({ port });
    plain.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await plain.flushed();
    await plain.pause(20);
    const closing = server?.close();
    assert.equal((await upgrading.readHead()).startLine, "HTTP/1.1 503 Service Unavailable");
    answer();
    assert.equal((await plain.readHead()).startLine, "HTTP/1.1 200 OK");
    assert.match(Buffer.from(await plain.readToEnd()).toString(), /healthy/);
    await closing;
  });

  test("G4: `spread` staggers the Closes evenly, and all of them come", async () => {
    const { url } = await start();
    const clients = await Promise.all(
      Array.from({ length: 200 }, () => connect(url, { pingInterval: null })),
    );
    const beganAt = performance.now();
    const times: number[] = [];
    const ends = clients.map(async (client) => {
      const { code } = await client.closed;
      times.push(performance.now() - beganAt);
      return code;
    });
    await server?.close({ spread: 1_000, code: 1012 });
    assert.deepEqual(
      await Promise.all(ends),
      Array.from({ length: 200 }, () => 1012),
    );
    times.sort((a, b) => a - b);
    assert((times.at(-1) ?? 0) >= 900, `The last came after ${times.at(-1)} ms`);
    // The slots before are tested on the fake clock (stagger.test.ts): a stall of the machine would move them here.
  });

  test("G4: a handler that never settles holds the server for `timeout` and no longer, and is logged", async () => {
    const { url } = await start(() => new Promise(() => undefined));
    const client = await connect(url);
    const began = performance.now();
    await server?.close({ timeout: 200 });
    const elapsed = performance.now() - began;
    assert(elapsed >= 190 && elapsed < 9_000, `${elapsed} ms`);
    assert.equal((await client.closed).code, 1001);
    assert.deepEqual(
      lines.map(({ level, message, details }) => [level, message, details]),
      [["warn", "closed before all handlers settled", { running: 1 }]],
    );
  });

  test("G4: without `timeout` a handler that never settles has a second more than closeTimeout", async () => {
    const { url } = await start(() => new Promise(() => undefined), { closeTimeout: 100 });
    const client = await connect(url);
    const began = performance.now();
    await server?.close();
    const elapsed = performance.now() - began;
    assert(elapsed >= 1_090 && elapsed < 9_000, `${elapsed} ms`);
    await client.closed;
  });

  test("G4: `signal` ends the wait, for the second SIGTERM", async () => {
    const causes: string[] = [];
    const { port } = await start(async (connection) => {
      causes.push((await connection.closed).cause);
    });
    await using stuck = await RawClient.connect({ port });
    await stuck.upgrade();
    const hurry = new AbortController();
    const closing = server?.close({ signal: hurry.signal }) ?? Promise.resolve();
    await sleep(50);
    assert.equal(server?.connections.size, 1);
    hurry.abort();
    await withTimeout(closing, 30_000, "the server to close");
    assert.deepEqual(causes, ["server-shutdown"]);
  });

  test("G4: invalid times are rejected, and nothing is closed", async () => {
    const { url } = await start();
    const client = await connect(url);
    for (const [options, message] of [
      [
        { timeout: -1 },
        /^Expected `timeout` to be a positive number of milliseconds .* or null, got -1 \(number\)\.$/,
      ],
      [{ spread: "1s" }, /^Expected `spread` to be a positive number of milliseconds .*"1s" \(string\)\.$/],
      [
        { spread: 10, timeout: 10 },
        /^Expected `spread` to be less than `timeout` \(10\).*got 10 \(number\)\.$/,
      ],
      [{ signal: 1 }, /^Expected `signal` to be an AbortSignal, got 1 \(number\)\.$/],
      [{ code: 1005 }, /^Expected `code` to be one that may be sent/],
    ] as const) {
      await assert.rejects(
        async () => server?.close(options as object),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    }
    assert.equal(client.state, "open");
    await server?.close({ timeout: 0, spread: 0 });
    await client.closed;
  });

  test("G4: over TLS too, while clients are in every phase of opening", async () => {
    const { server: tls, ca } = await testCertificates();
    const { url, port } = await start(() => undefined, { tls });
    const client = await connect(url, { tls: { ca } });
    await using mute = await RawClient.connect({ port });
    await using silent = await RawClient.connect({ port, tls: { ca } });
    const closing = server?.close({ timeout: 1_000 });
    const { code, clean } = await client.closed;
    assert.deepEqual([code, clean], [1001, true]);
    await closing;
    assert.match(await mute.ended, /fin|rst/);
    assert.match(await silent.ended, /fin|rst/);
  });

  test("G4: the process can exit: nothing is left that holds it, not even a handler", async () => {
    const program = `
      import { connect, serve } from "../../build/index.js";
      const server = await serve(() => new Promise(() => undefined), { host: "127.0.0.1" });
      process.once("SIGTERM", async () => {
        await server.close({ timeout: 200 });
        console.log("closed");
      });
      const client = await connect(server.url);
      process.kill(process.pid, "SIGTERM");
      console.log((await client.closed).message);
    `;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    const exit = new Promise((resolve) => child.once("close", resolve));
    try {
      assert.equal(await withTimeout(exit, 30_000, "the process to exit"), 0);
    } finally {
      child.kill("SIGKILL");
    }
    assert.equal(output, "received 1001 (going away); then sent 1001 (going away)\nclosed\n");
  });
});
