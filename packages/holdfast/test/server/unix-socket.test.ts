import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, HoldfastError, InvalidArgumentError, serve, type ServeOptions } from "../../build/index.js";
import { withTimeout } from "holdfast-testkit";
import { canReusePort } from "../../build/server/listener/listen-address.js";

const skip = process.platform === "win32" ? "Windows has pipes instead" : false;

describe("A server on a Unix socket", { skip }, () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-"));
    path = join(folder, "chat.sock");
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** The status of the response to an upgrade over the Unix socket. */
  function upgrade(): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      };
      const asking = request({ socketPath: path, headers });
      asking.on("upgrade", ({ statusCode = 0 }, socket) => {
        socket.destroy();
        resolve(statusCode);
      });
      asking.on("error", reject);
      asking.end();
    });
  }

  test("G6: it upgrades, has no addresses, and leaves no file behind", async () => {
    const seen: unknown[] = [];
    const server = await serve(
      ({ remoteAddress, url }, request_) => void seen.push(remoteAddress, url, request_.remoteAddress),
      { path },
    );
    assert.deepEqual([server.port, server.url], [0, `ws+unix:${path}`]);
    assert.equal(await upgrade(), 101);
    assert.deepEqual(seen, [null, "ws://localhost/", null]);
    await server.close();
    assert.equal(existsSync(path), false);
  });

  /** Leaves the socket of a process that was killed. */
  async function leaveSocket(): Promise<void> {
    const program = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    const child = spawn(process.execPath, ["--eval", program]);
    await new Promise((resolve) => child.once("close", resolve));
    assert.equal(existsSync(path), true);
  }

  test("G6: the socket of a dead process is replaced", async () => {
    await leaveSocket();
    await using server = await serve(() => undefined, { path });
    assert.equal(await upgrade(), 101);
    assert.equal(server.port, 0);
  });

  test("G6: of several servers that replace the socket of a dead process at once, one listens, and is reachable", async () => {
    for (let round = 0; round < 3; round++) {
      await leaveSocket();
      const starts = await Promise.allSettled([1, 2, 3].map(() => serve(() => undefined, { path })));
      const servers = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
      assert.equal(servers.length, 1);
      assert.equal(await upgrade(), 101);
      await servers[0].close();
    }
  });

  test("G6: all workers of a cluster start on the socket of a dead process", async () => {
    await leaveSocket();
    const program = fileURLToPath(new URL("unix-cluster-program.js", import.meta.url));
    const child = spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const output = await withTimeout(readText(child.stdout), 30_000, "the cluster to end");
      assert.equal(output, "listening, listening, listening; answered\n");
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("G6: its URL reaches it, whatever its path and folder", async () => {
    const folderBefore = process.cwd();
    process.chdir(folder);
    try {
      for (const name of ["a b.sock", "a:b?c%d#e.sock", "ü.sock"].map((each) => join(folder, each))) {
        await using server = await serve(() => undefined, { path: name });
        await (await connect(server.url)).close();
      }
      const abstract = process.platform === "linux" ? [`\0${path}`] : [];
      for (const other of ["relative.sock", `/${path}`, ...abstract]) {
        await using server = await serve(() => undefined, { path: other });
        await (await connect(server.url)).close();
      }
    } finally {
      process.chdir(folderBefore);
    }
  });

  const refuses = async (options: ServeOptions, message: RegExp) => {
    await assert.rejects(
      serve(() => undefined, options),
      (error) => {
        assert(error instanceof HoldfastError);
        assert.equal(error.code, "ERR_HOLDFAST_LISTEN");
        assert.match(error.message, message);
        return true;
      },
    );
  };

  test("G6: a socket in use, another file and a folder that is not there are left alone, with an error", async () => {
    await using server = await serve(() => undefined, { path });
    await refuses(
      { path },
      /^Expected to listen on the Unix socket .*chat\.sock, got an error: .*EADDRINUSE/,
    );
    assert.equal(await upgrade(), 101);
    assert.equal(server.connections.size <= 1, true);
    const file = join(folder, "file");
    await writeFile(file, "precious");
    await refuses({ path: file }, /EADDRINUSE/);
    assert.equal(existsSync(file), true);
    await refuses({ path: join(folder, "no", "chat.sock") }, /Expected to listen on the Unix socket/);
  });

  test("G6: contradictory or invalid options are rejected", async () => {
    for (const [options, message] of [
      [{ path, port: 80 }, /^Expected either `path`, for a Unix socket, or `port`/],
      [{ path, host: "localhost" }, /^Expected either `path`/],
      [{ path: "" }, /^Expected `path` to be the path of a Unix socket, .* got "" \(string\)\.$/],
      [
        { path: "/line\nbreak" },
        /^Expected `path` to be the path of a Unix socket, .*, without control characters, got /,
      ],
      [{ port: 65536 }, /^Expected `port` to be a number from 0 to 65535, got 65536 \(number\)\.$/],
      [{ reusePort: "yes" }, /^Expected `reusePort` to be true or false/],
    ] as const) {
      await assert.rejects(
        serve(() => undefined, options as unknown as ServeOptions),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    }
  });
});

test("G6: an address that is taken is an error that names it", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as { port: number };
  await assert.rejects(
    serve(() => undefined, { host: "127.0.0.1", port }),
    {
      code: "ERR_HOLDFAST_LISTEN",
      message: `Expected to listen on 127.0.0.1, port ${port}, got an error: listen EADDRINUSE: address already in use 127.0.0.1:${port}.`,
    },
  );
  taken.close();
});

test("G6: reusePort shares a port where Node.js can, and says so where it cannot", async () => {
  const versions = (node: string) => ({ ...process.versions, node });
  assert.deepEqual(
    ["20.20.2", "22.11.0", "22.12.0", "23.0.0", "23.1.0", "24.0.0"].map((node) =>
      canReusePort(versions(node)),
    ),
    [false, false, true, false, true, true],
  );
  if (!canReusePort(process.versions)) {
    await assert.rejects(
      serve(() => undefined, { reusePort: true }),
      {
        name: "InvalidArgumentError",
        message: `Expected \`reusePort\` to be false on Node.js ${process.versions.node}, which would ignore it, got true. Use 22.12, 23.1 or later, or node:cluster, which shares a port on any version.`,
      },
    );
    return;
  }
  await using first = await serve(() => undefined, { host: "127.0.0.1", reusePort: true });
  await using second = await serve(() => undefined, { host: "127.0.0.1", port: first.port, reusePort: true });
  assert.equal(second.port, first.port);
});

test("G6: the URL of a server whose `host` is empty reaches it, as Node listens on all addresses", async () => {
  await using server = await serve(() => undefined, { host: "" });
  assert.equal(server.url, `ws://localhost:${server.port}`);
  await (await connect(server.url)).close();
});
