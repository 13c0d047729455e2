// Programs in bundles: no part that they need is left out. `connectInWorker()`: Vite and webpack find the script of the
// worker, and for the others it is a separate entry. The tests run each bundle, as a program of Node.js in a folder
// without node_modules, and as a page in Chromium.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import { serve, type Server } from "holdfast";
import { rollup, type RollupLog } from "rollup";
import { build as buildWithVite } from "vite";
import webpack from "webpack";
import { Browser, skip } from "./browser/chromium.js";

type Platform = "browser" | "node";

interface Bundler {
  readonly name: string;
  build(entries: Record<string, string>, folder: string, platform: Platform): Promise<void>;
}

const esbuildFor = (format: "cjs" | "esm"): Bundler => ({
  name: `esbuild (${format})`,
  async build(entries, outdir, platform) {
    const outExtension = platform === "browser" ? ".js" : format === "esm" ? ".mjs" : ".cjs";
    await esbuild.build({
      entryPoints: entries,
      outdir,
      platform,
      format,
      bundle: true,
      splitting: format === "esm",
      minify: true,
      outExtension: { ".js": outExtension },
      logLevel: "silent",
    });
  },
});

const withRollup: Bundler = {
  name: "rollup",
  async build(entries, dir, platform) {
    const warnings: RollupLog[] = [];
    const bundle = await rollup({
      input: entries,
      external: platform === "node" ? [/^node:/, "socks"] : [],
      plugins: [nodeResolve(platform === "node" ? { exportConditions: ["node"] } : { browser: true })],
      onwarn: (warning) => {
        if (warning.code !== "CIRCULAR_DEPENDENCY") warnings.push(warning);
      },
    });
    const extension = platform === "node" ? "mjs" : "js";
    await bundle.write({ dir, format: "es", entryFileNames: `[name].${extension}` });
    await bundle.close();
    assert.deepEqual(warnings, []);
  },
};

/** They find a worker's script by themselves, and have their default configuration. */
const pageBundlers = {
  async Vite(root: string, outDir: string) {
    await buildWithVite({ root, configFile: false, logLevel: "silent", build: { outDir } });
  },
  async webpack(root: string, path: string) {
    const compiler = webpack({ mode: "production", entry: join(root, "main.js"), output: { path } });
    await new Promise<void>((resolve, reject) => {
      compiler.run((error, stats) => {
        if (error === null && stats?.hasErrors() === false) resolve();
        else reject(error ?? new Error(stats?.toString()));
      });
    });
  },
} as const;

const nodeProgram = (worker: string): string => `
import { connectInWorker } from "holdfast";
import { Worker } from "node:worker_threads";
const worker = new Worker(${worker});
const connection = await connectInWorker(process.argv[2], { worker });
await connection.send("from a worker");
console.log(await connection.recv(), await connection.ping() > 0);
await connection.close();
await worker.terminate();
`;

/** It imports functions only: a bundler has to find the classes behind them. */
const EVERY_FUNCTION = `
import { attach, connect, connectPersistent, persist, Client, reconnect, serve } from "holdfast";
import { createTopics, subscribe } from "holdfast/topics";
import { WebSocket } from "holdfast/websocket";
import { createServer } from "node:http";

const topics = createTopics({ history: true });
const handler = (connection) => {
  topics.open(connection, { authorize: () => true });
  return connection.forEach((message) => connection.send(message));
};
const server = await serve(handler, { host: "127.0.0.1", sessions: true, onRequest: () => undefined });
const words = [];
const connection = await connect(server.url, { compression: true });
await connection.send("connect");
words.push(await connection.recv());
await connection.close();

const link = connectPersistent(server.url, { session: true });
await link.send("connectPersistent", { until: "delivered" });
words.push(await link.recv());
await link.close();

const reader = await connect(server.url, { linkProtocol: true });
const { epoch } = await topics.publish("news", "before");
for await (const { type } of subscribe(reader, "news", { since: { epoch, offset: 0 } })) {
  words.push(type);
  break;
}
await reader.close();

for await (const each of reconnect(server.url)) {
  words.push("reconnect");
  await each.close();
  break;
}
for await (const { type } of persist(new Client(server.url))) {
  if (type !== "ready") continue;
  words.push("persist");
  break;
}
const socket = new WebSocket(server.url);
await new Promise((resolve) => (socket.onopen = resolve));
words.push("WebSocket");
socket.close();
await new Promise((resolve) => (socket.onclose = resolve));

const http = createServer();
attach(http, handler, { closeWithServer: true });
await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
const attached = await connect("ws://127.0.0.1:" + http.address().port);
http.close();
words.push((await attached.closed).code);

await server.close();
await topics.close();
console.log(words.join(" "));
`;

const PAGE_PROGRAM = `
import { connectInWorker, connectPersistent } from "holdfast/browser";
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const connection = await connectInWorker(location.hash.slice(1), { worker });
await connection.send("from a worker");
const link = connectPersistent(location.hash.slice(1));
await link.send("with connectPersistent");
document.title = [await connection.recv(), await link.recv()].join(" ");
`;

const BUILT_PAGE = `
import { connect } from "holdfast";
import { connectInWorker } from "holdfast/browser";
const own = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const ways = {
  "the page": () => connect(location.hash.slice(1)),
  "a worker of the library": () => connectInWorker(location.hash.slice(1)),
  "a worker of the page": () => connectInWorker(location.hash.slice(1), { worker: own }),
};
const received = [];
for (const [name, open] of Object.entries(ways)) {
  const connection = await open();
  await connection.send("from " + name);
  received.push(await connection.recv());
}
document.title = received.join(", ");
`;

/** No top-level \`await\` in CommonJS. */
const withinFunction = (program: string): string => {
  const [imports, rest] = [program.match(/^import .*$/gm) ?? [], program.replaceAll(/^import .*$/gm, "")];
  return `${imports.join("\n")}\n(async () => {${rest}})();`;
};

describe("A worker's script in bundles", { timeout: 300_000 }, () => {
  let server: Server;
  let sources: string;
  before(async () => {
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
      origins: "any",
    });
    // Next to this file, so that the packages are found.
    sources = await mkdtemp(join(import.meta.dirname, "bundled-"));
    await writeFile(join(sources, "worker.js"), WORKER);
  });
  after(async () => {
    await server.close();
    await rm(sources, { recursive: true });
  });

  async function built(bundler: Bundler, program: string, platform: Platform): Promise<string> {
    const main = join(sources, `${platform}-${bundler.name.replaceAll(/\W/g, "")}.js`);
    await writeFile(main, program);
    const folder = await mkdtemp(join(tmpdir(), "holdfast-bundle-"));
    await bundler.build({ main, worker: join(sources, "worker.js") }, folder, platform);
    return folder;
  }

  const cases = [
    [esbuildFor("esm"), nodeProgram(`new URL("./worker.mjs", import.meta.url)`), "main.mjs"],
    [esbuildFor("cjs"), withinFunction(nodeProgram(`__dirname + "/worker.cjs"`)), "main.cjs"],
    [withRollup, nodeProgram(`new URL("./worker.mjs", import.meta.url)`), "main.mjs"],
  ] as const;
  for (const [bundler, program, file] of cases) {
    test(`B1: a program for Node.js that ${bundler.name} has built opens a connection in its worker`, async (t) => {
      const folder = await built(bundler, program, "node");
      t.after(() => rm(folder, { recursive: true }));
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        [join(folder, file), server.url],
        {
          timeout: 60_000,
        },
      );
      assert.deepEqual({ stdout, stderr }, { stdout: "from a worker true\n", stderr: "" });
    });
  }

  for (const bundler of [esbuildFor("esm"), withRollup]) {
    test(`H1: a program for Node.js that ${bundler.name} has built has all that its functions need`, async (t) => {
      const folder = await built(bundler, EVERY_FUNCTION, "node");
      t.after(() => rm(folder, { recursive: true }));
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, "main.mjs")], {
        timeout: 60_000,
      });
      const expected = "connect connectPersistent message reconnect persist WebSocket 1001\n";
      assert.deepEqual({ stdout, stderr }, { stdout: expected, stderr: "" });
    });
  }

  test("D7: a bundle without the worker's script gets a WorkerError with advice", async (t) => {
    const program = `
import { connectInWorker } from "holdfast";
connectInWorker(process.argv[2]).catch(({ name, message }) => console.log(name, message));
`;
    for (const format of ["esm", "cjs"] as const) {
      const folder = await built(esbuildFor(format), program, "node");
      t.after(() => rm(folder, { recursive: true }));
      const file = join(folder, format === "esm" ? "main.mjs" : "main.cjs");
      const { stdout } = await promisify(execFile)(process.execPath, [file, server.url], { timeout: 60_000 });
      assert.match(stdout, /^WorkerError .*give `worker` a script that imports `holdfast\/worker`/);
    }
  });

  describe("in Chromium", { skip }, () => {
    let browser: Browser;
    before(async () => {
      browser = await Browser.start();
    });
    after(() => browser[Symbol.asyncDispose]());

    for (const bundler of [esbuildFor("esm"), withRollup]) {
      test(`I1: a page that ${bundler.name} has built opens a connection in its worker`, async (t) => {
        const folder = await built(bundler, PAGE_PROGRAM, "browser");
        t.after(() => rm(folder, { recursive: true }));
        const site = await serveFolder(folder);
        t.after(() => site.close());
        assert.equal(await titleOf(site.url), "from a worker with connectPersistent");
      });
    }

    for (const [bundler, build] of Object.entries(pageBundlers)) {
      test(`I1: a page that ${bundler} has built by default opens connections, in workers as well`, async (t) => {
        const root = await mkdtemp(join(sources, "page-"));
        await writeFile(join(root, "index.html"), PAGE.replace("/main.js", "./main.js"));
        await writeFile(join(root, "main.js"), BUILT_PAGE);
        await writeFile(join(root, "worker.js"), WORKER);
        const folder = join(root, "dist");
        await mkdir(folder);
        await build(root, folder);
        const site = await serveFolder(folder);
        t.after(() => site.close());
        const expected = "from the page, from a worker of the library, from a worker of the page";
        assert.equal(await titleOf(site.url), expected);
      });
    }

    async function titleOf(url: string): Promise<string> {
      const page = await browser.openPage();
      await page.goto(`${url}#${server.url}`);
      await page.waitForFunction(() => document.title !== "", null, { timeout: 30_000 });
      return await page.title();
    }
  });
});

const WORKER = `import "holdfast/worker";\n`;
const PAGE = `<!doctype html><script type="module" src="/main.js"></script>`;

async function serveFolder(folder: string): Promise<{ readonly url: string; close(): void }> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(`/${relative(folder, path)}`, await readFile(path));
  }
  const page = files.get("/index.html") ?? Buffer.from(PAGE);
  const server = createServer(({ url = "/" }, response) => {
    const type = extname(url) === ".js" ? "text/javascript" : "text/html";
    response.writeHead(200, { "Content-Type": type }).end(files.get(url) ?? page);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // The server listens on TCP.
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}
