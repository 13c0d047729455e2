// `npm run check:package`: checks that the npm package is complete and importable, and contains nothing
// superfluous. It packs the library, runs publint and "are the types wrong", and lists the files. Then it
// uses the tarball as a user would: it installs it into an empty project, imports it, and type-checks it with
// both modern module resolutions, with this version of TypeScript and the oldest supported one.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "./build.mjs";
import { root } from "./lib/root.mjs";
import { capture, npm, tool } from "./lib/run.mjs";
import { surviveRestart } from "./package/restart.mjs";

/** Files that must not ship, and files that must. */
const unwanted = /\.tsbuildinfo$|\.map$|\.test\.|(^|\/)(src|build|test|test-dist|node_modules)\//;
const required = [
  ...["package.json", "README.md", "LICENSE"],
  ...[
    "index",
    "browser",
    "topics",
    "browser-topics",
    "websocket",
    "browser-websocket",
    "adapter",
    "testing",
  ].flatMap((entry) => [`dist/${entry}.js`, `dist/${entry}.d.ts`]),
];

/** The maximum size of a download in bytes, and the maximum number of files. Raise them only deliberately. */
const MAX_PACKED = 426_500;
const MAX_FILES = 60;
const MAX_OTHERS = { "packages/redis": 48_000, "packages/nats": 33_000, "packages/ws": 33_000 };

/** Plain JavaScript, from opening a connection to its end. */
const program = `
import { connect, serve } from "holdfast";
const server = await serve((connection) => connection.forEach((message) => connection.send(message)));
const connection = await connect(server.url);
await connection.send("hello");
if ((await connection.recv()) !== "hello") throw new Error("Expected the echo");
if (!(await connection.close()).ok) throw new Error("Expected a clean end");
await server.close();
`;

/** The oldest TypeScript that accepts our declarations, as the README says. */
const OLDEST_TYPESCRIPT = "5.6.3";

/** CommonJS loads an ES module with `import()`, on every Node. */
const commonJs =
  'import("holdfast").then(({ connect }) => process.exit(typeof connect === "function" ? 0 : 1))';

/** The browser entry loads anywhere, and exports no server. */
const inPages = `
import * as holdfast from "holdfast/browser";
if (typeof holdfast.connectPersistent !== "function" || "serve" in holdfast) process.exit(1);
`;

/** Received bytes have the type that Web APIs accept. */
const usesOfBytes = (bytes) => `{
  await crypto.subtle.digest("SHA-256", ${bytes});
  await fetch("/store", { method: "POST", body: ${bytes} });
  document.title = await new Response(${bytes}).text() + await new Blob([${bytes}]).text();
}`;

const page = (module, rejected) => `
import { Client, connectPersistent, persist, type PersistentConnection } from "${module}";
const link: PersistentConnection = connectPersistent("/feed", { subprotocols: ["chat"] });
await link.send("hello");
for await (const message of link) {
  if (typeof message === "string") document.title = message;
  else ${usesOfBytes("message")}
}
for await (const event of persist(new Client("/feed"))) if (event.type === "binary") ${usesOfBytes("event.data")}
${rejected}
`;

/** The browser's declarations do not have options that only other environments support. */
const noHeaders = `
// @ts-expect-error -- a page cannot send headers
connectPersistent("/feed", { headers: { Authorization: "Bearer 1" } });
`;

/** The client's half of topics takes the connections of the main entry. */
const topicsInPage = `
import { connectPersistent } from "holdfast";
import { subscribe } from "holdfast/topics";
for await (const event of subscribe(connectPersistent("/feed"), "news")) {
  if (event.type === "message" && typeof event.data !== "string") ${usesOfBytes("event.data")}
}
`;

/** The classes have the type of the global one. */
const classesInPage = `
import { ResumableWebSocket, WebSocket } from "holdfast/websocket";
export const classes: (typeof globalThis.WebSocket)[] = [WebSocket, ResumableWebSocket];
export const socket: globalThis.WebSocket = new WebSocket("/feed");
`;

/** A program whose dependency uses `ws`, which is overridden. */
const overriding = `
import WebSocket, { WebSocketServer } from "user/index.mjs";
import user from "user";
if (user.required !== WebSocket || user.required.Server !== WebSocketServer) throw new Error("Expected one class");
const server = new WebSocketServer({ port: 0 });
server.on("connection", (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })));
const client = new WebSocket("ws://127.0.0.1:" + server.address().port);
client.on("open", () => client.send("hello"));
client.on("message", (data) => {
  if (data.toString() !== "hello" || client.holdfast.state !== "open") throw new Error("Expected the echo of Holdfast");
  client.close();
  server.close();
});
`;

/** The declarations of `@holdfast/ws`, which are checked too (no skipLibCheck). */
const typesOfWs = `
import { WebSocket, WebSocketServer } from "ws";
new WebSocketServer({ port: 0 }).on("connection", (socket: WebSocket) => socket.send("hello"));
`;

/** The ways in which a page may import the library's types; none of them needs the types of Node.js. */
const pages = [
  { title: "holdfast/browser", source: page("holdfast/browser", noHeaders) },
  {
    title: "holdfast by the condition browser",
    source: page("holdfast", noHeaders),
    customConditions: ["browser"],
  },
  { title: "holdfast", source: page("holdfast", "") },
  {
    title: "holdfast/topics by the condition browser",
    source: topicsInPage,
    customConditions: ["browser"],
  },
  {
    title: "holdfast/websocket by the condition browser",
    source: classesInPage,
    customConditions: ["browser"],
  },
  { title: "holdfast/websocket", source: classesInPage },
];

const folder = mkdtempSync(join(tmpdir(), "holdfast-package-"));
try {
  if (!(await build())) throw new Error("The build failed.");
  await check();
  console.log("The package can be published.");
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function check() {
  const [packed] = JSON.parse(
    await quietly(
      "npm pack",
      npm("pack", "--json", "--ignore-scripts", `--pack-destination=${folder}`),
      "packages/holdfast",
    ),
  );
  const tarball = join(folder, packed.filename);
  checkFiles(packed);
  await quietly("publint", tool("publint", "publint", "run", "--strict", tarball));
  await quietly("attw", tool("@arethetypeswrong/cli", "attw", tarball, "--profile", "esm-only"));
  await useAsStranger(tarball);
  await checkOther("packages/redis");
  await checkOther("packages/nats");
  const drop = await checkOther("packages/ws", "node16");
  await overrideWs(tarball, drop);
}

/** Another package: its files, its size, and whether it can be imported. */
async function checkOther(path, profile = "esm-only") {
  const packing = npm("pack", "--json", "--ignore-scripts", `--pack-destination=${folder}`);
  const [{ filename, files, size }] = JSON.parse(await quietly(`npm pack, ${path}`, packing, path));
  const limit = MAX_OTHERS[path];
  console.log(`${filename}: ${files.length} files, ${size} bytes packed, at most ${limit}`);
  if (size > limit) throw new Error(`Expected at most ${limit} bytes packed in ${path}, got ${size}`);
  const wrong = files.map((file) => file.path).filter((file) => unwanted.test(file));
  if (wrong.length > 0) throw new Error(`These files must not ship in ${path}: ${wrong.join(", ")}`);
  const tarball = join(folder, filename);
  await quietly(`publint, ${path}`, tool("publint", "publint", "run", "--strict", tarball));
  const attw = tool("@arethetypeswrong/cli", "attw", tarball, "--profile", profile);
  await quietly(`attw, ${path}`, attw);
  return tarball;
}

/** A package that depends on `ws` gets `@holdfast/ws` by an override, in both module systems. */
async function overrideWs(library, replacement) {
  const project = join(folder, "override");
  const user = join(project, "user");
  mkdirSync(user, { recursive: true });
  const manifest = { name: "user", version: "1.0.0", main: "index.cjs", dependencies: { ws: "^8.0.0" } };
  writeFileSync(join(user, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(user, "index.cjs"), 'exports.required = require("ws");');
  writeFileSync(join(user, "index.mjs"), 'export { default, WebSocketServer } from "ws";');
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({
      private: true,
      dependencies: { holdfast: `file:${library}`, user: "file:user" },
      overrides: { ws: `file:${replacement}` },
    }),
  );
  const install = npm("install", "--offline", "--no-audit", "--no-fund", "--install-links");
  await quietly("npm install, overrides", install, project);
  writeFileSync(join(project, "program.mjs"), overriding);
  writeFileSync(join(project, "program.ts"), typesOfWs);
  const compilerOptions = options("NodeNext", "NodeNext");
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ files: ["program.ts"], compilerOptions }));
  await quietly("types of ws overridden", tool("typescript", "tsc", "--project", project), project);
  await quietly("ws overridden", [process.execPath, "program.mjs"], project);
}

function checkFiles({ files, filename, size, unpackedSize }) {
  const paths = files.map((file) => file.path);
  for (const { path, size: bytes } of files) console.log(`${String(bytes).padStart(9)}  ${path}`);
  console.log(`${filename}: ${files.length} files, ${size} bytes packed, ${unpackedSize} unpacked`);
  const wrong = paths.filter((path) => unwanted.test(path));
  if (wrong.length > 0) throw new Error(`These files must not ship: ${wrong.join(", ")}`);
  const absent = required.filter((path) => !paths.includes(path));
  if (absent.length > 0) throw new Error(`These files are missing: ${absent.join(", ")}`);
  if (size > MAX_PACKED) throw new Error(`Expected at most ${MAX_PACKED} bytes packed, got ${size}`);
  if (files.length > MAX_FILES) throw new Error(`Expected at most ${MAX_FILES} files, got ${files.length}`);
}

async function useAsStranger(tarball) {
  const project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await quietly("npm install", npm("install", "--offline", "--no-audit", "--no-fund", tarball), project);

  const script = 'console.log(Object.keys(await import("holdfast")).join("\\n"))';
  const names = await quietly("import", [process.execPath, "--input-type=module", "--eval", script], project);
  writeFileSync(join(project, "program.mjs"), program);
  await quietly(
    "the entry for browsers",
    [process.execPath, "--input-type=module", "--eval", inPages],
    project,
  );
  await quietly("the command", [process.execPath, binOf(project), "--help"], project);
  await quietly("plain JavaScript", [process.execPath, "program.mjs"], project);
  await quietly("CommonJS", [process.execPath, "--input-type=commonjs", "--eval", commonJs], project);
  await surviveRestart(project);
  console.log("the README's programs, through a restart: fine");
  writeFileSync(join(project, "consumer.ts"), consumer(names.split("\n").filter(Boolean)));
  await installOldTypeScript(join(project, "old"));
  for (const page of pages) await compilePage(project, page);
  for (const [title, compilerOptions] of [
    ["NodeNext", options("NodeNext", "NodeNext")],
    ["Bundler", options("ESNext", "Bundler")],
    ["without the DOM", { ...options("NodeNext", "NodeNext"), lib: ["ES2022"] }],
  ]) {
    const configuration = JSON.stringify({ files: ["consumer.ts"], compilerOptions });
    writeFileSync(join(project, "tsconfig.json"), configuration);
    await quietly(`types, ${title}`, tool("typescript", "tsc", "--project", project), project);
    const oldest = [process.execPath, "old/node_modules/typescript/bin/tsc", "--project", project];
    await quietly(`types, ${title}, TypeScript ${OLDEST_TYPESCRIPT}`, oldest, project);
  }
}

/** A page: a bundler resolves its imports, and Node's types are not installed. */
async function compilePage(project, { title, source, customConditions }) {
  const folder = join(project, "page");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "page.ts"), source);
  const lib = ["es2022", "dom"];
  const compilerOptions = { module: "ESNext", moduleResolution: "Bundler", target: "ES2022", lib, types: [] };
  const strict = { strict: true, noEmit: true, skipLibCheck: false, typeRoots: [] };
  const conditions = customConditions === undefined ? {} : { customConditions };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ files: ["page.ts"], compilerOptions: { ...compilerOptions, ...strict, ...conditions } }),
  );
  await quietly(`types in a page, ${title}`, tool("typescript", "tsc", "--project", folder), project);
  const oldest = [process.execPath, "old/node_modules/typescript/bin/tsc", "--project", folder];
  await quietly(`types in a page, ${title}, TypeScript ${OLDEST_TYPESCRIPT}`, oldest, project);
}

/** Installed in a separate folder: otherwise `npx tsc` would find it instead of the workspace's compiler. */
async function installOldTypeScript(folder) {
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  const wanted = `typescript@${OLDEST_TYPESCRIPT}`;
  await quietly(wanted, npm("install", "--prefer-offline", "--no-audit", "--no-fund", wanted), folder);
}

/** The command that npm installs as `holdfast`. */
function binOf(project) {
  const installed = join(project, "node_modules/holdfast");
  return join(installed, JSON.parse(readFileSync(join(installed, "package.json"), "utf8")).bin.holdfast);
}

/** A program that uses every export, and really calls the main ones. */
function consumer(names) {
  const uses = [`import * as holdfast from "holdfast";`];
  for (const entry of ["topics", "websocket", "adapter", "testing"]) {
    uses.push(`export * as ${entry} from "holdfast/${entry}";`);
  }
  uses.push(...names.map((name) => `export const use_${name} = holdfast.${name};`));
  if (names.includes("connect") && names.includes("explain")) {
    uses.push(`const connection: holdfast.Connection = await holdfast.connect("ws://localhost");`);
    uses.push(`export const advice: string = holdfast.explain(await connection.closed);`);
    uses.push(`export { connectPersistent as inPages } from "holdfast/browser";`);
    // Node's types are in use here, and are not \`any\`.
    uses.push(`// @ts-expect-error -- options of tls.connect are an object`);
    uses.push(`export const refused = holdfast.connect("wss://localhost", { tls: 5 });`);
  }
  return `${uses.join("\n")}\nexport const count: number = Object.keys(holdfast).length;\n`;
}

/**
 * Our declarations are checked too (no skipLibCheck). They must compile with a user's compiler, and must name
 * all types and libraries that they need in addition to the compiler's own.
 */
function options(module, moduleResolution) {
  const typeRoots = [join(root, "node_modules/@types")];
  // Not the types of the packages that other workspaces use.
  const types = ["node"];
  return { module, moduleResolution, target: "ES2022", strict: true, noEmit: true, typeRoots, types };
}

/** Runs a step, shows its output only if it fails, and resolves with its stdout. */
async function quietly(title, [command, ...args], cwd = ".") {
  const { status, stdout, stderr } = await capture(command, args, { cwd: resolve(root, cwd) });
  if (status !== 0) throw new Error(`${title} failed:\n${stdout}${stderr}`);
  console.log(`${title}: fine`);
  return stdout;
}
