// Tests the pages: their TypeScript compiles, the blocks marked runnable run and print what they show, and
// their links have targets.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { test } from "node:test";
import { root } from "../lib/root.mjs";
import { capture } from "../lib/run.mjs";
import { compile, transpile } from "./compile.mjs";
import { allPages, parse } from "./pages.mjs";

const pages = allPages();

/** Generated from the doc comments; the declarations are not programs. */
const isReference = ({ path }) => path.startsWith("docs/api/");

/** Pages for users of the library; those of the private workspaces show fragments. */
const published = pages.filter(
  (page) => /^(README\.md$|docs\/|packages\/)/.test(page.path) && !isReference(page),
);

/** TypeScript that is neither marked as a fragment nor a file, which is compiled where it is. */
function isCode({ language, flags }) {
  return language === "ts" && !flags.some((flag) => flag === "no-check" || flag.startsWith("source="));
}

test("Docs: every TypeScript block compiles, and one that does not is reported with its place", () => {
  const scripts = published.map((page) => ({ ...page, blocks: page.blocks.filter(isCode) }));
  const wrong = parse(
    "docs/made-up.md",
    '# Title\n\n```ts\nimport { connect } from "holdfast";\nconnect(1);\n```\n',
  );
  const errors = compile([...scripts, wrong]);
  assert.match(errors.pop() ?? "", /^docs\/made-up\.md:5: Argument of type 'number'/);
  assert.deepEqual(errors, []);
});

test("Docs: each line for a library that takes the class WebSocket compiles", () => {
  const path = "docs/websocket.md";
  const lines = [...readFileSync(join(root, path), "utf8").matchAll(/^\| \S+ +\| `(.*)` +\|$/gm)].map(
    ([, line]) => line,
  );
  assert.equal(lines.length, 8, "The table has a line for each library.");
  const imports = `import { HttpTransportType, HubConnectionBuilder } from "@microsoft/signalr";
import { createWSClient } from "@trpc/client";
import { WebSocketProvider } from "ethers";
import { createClient } from "graphql-ws";
import { connect } from "mqtt";
import ReconnectingWebSocket from "partysocket/ws";
// @ts-expect-error: it has no declarations
import { Socket } from "phoenix";
import { WebsocketProvider } from "y-websocket";
import type { Doc } from "yjs";
declare const url: string;
declare const room: string;
declare const doc: Doc;
const socket: globalThis.WebSocket = new WebSocket(url);
const type: typeof globalThis.WebSocket = WebSocket;
`;
  const blocks = ["WebSocket", "ResumableWebSocket as WebSocket"].map((name, index) => {
    const code = `import { ${name} } from "holdfast/websocket";\n${imports}${lines.join(";\n")};`;
    return { code, line: index + 1 };
  });
  assert.deepEqual(compile([{ path, blocks }]), []);
});

test(
  "Docs: each block marked `ts run` runs, and prints the `text` block below it",
  { timeout: 300_000 },
  async () => {
    // Two at a time: most programs wait.
    const programs = published
      .flatMap(({ path, blocks }) => blocks.map((block, index) => ({ path, block, next: blocks[index + 1] })))
      .filter(({ block }) => block.flags.includes("run"))
      .values();
    const runAll = async () => {
      for (const { path, block, next } of programs) {
        const place = `${path}:${block.line}`;
        const { status, stdout, stderr } = await runModule(transpile(block.code));
        assert.equal(status, 0, `${place} failed:\n${stdout}${stderr}`);
        if (next?.language === "text") assert.equal(stdout, next.code, `${place} prints something else`);
      }
    };
    await Promise.all([runAll(), runAll()]);
  },
);

/** Runs in a separate process, below the root so that `holdfast` resolves. */
async function runModule(code) {
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache", "docs-"));
  try {
    const file = join(folder, "block.mjs");
    writeFileSync(file, code);
    return await capture(process.execPath, [file], { timeout: 100_000 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("Docs: every link within the repository leads to a file, and to a heading where it names one", () => {
  const byPath = new Map(pages.map((page) => [page.path, page]));
  const problems = pages.flatMap((page) =>
    page.links
      .filter(({ target }) => !/^[a-z][a-z+.-]*:/i.test(target))
      .flatMap(({ target, line }) =>
        brokenLink(page, target, byPath) ? [`${page.path}:${line}: ${target}`] : [],
      ),
  );
  assert.deepEqual(problems, []);
});

test("Docs: a broken link is seen", () => {
  const text =
    "# A title, *twice*\n\n[a](#a-title-twice) [b](#elsewhere) [c](../README.md#holdfast) [d](none.md)\n";
  const page = parse("docs/made-up.md", text);
  const byPath = new Map([...pages, page].map((one) => [one.path, one]));
  const broken = page.links
    .filter(({ target }) => brokenLink(page, target, byPath))
    .map(({ target }) => target);
  assert.deepEqual(broken, ["#elsewhere", "none.md"]);
});

function brokenLink(page, target, byPath) {
  const [file, anchor] = target.split("#");
  const path = file === "" ? page.path : posix.join(posix.dirname(page.path), file).replace(/\/$/, "");
  if (path.startsWith("..")) return true;
  if (!byPath.has(path)) return anchor !== undefined || !existsSync(join(root, path));
  return anchor !== undefined && !byPath.get(path).anchors.has(anchor);
}

test("Docs: a block that names its source is that file, which is compiled and run", () => {
  const differing = pages.flatMap(({ path, blocks }) =>
    blocks.flatMap(({ flags, code, line }) => {
      const source = flags.find((flag) => flag.startsWith("source="))?.slice("source=".length);
      if (source === undefined || readFileSync(join(root, source), "utf8") === code) return [];
      return [`${path}:${line} is not ${source}`];
    }),
  );
  assert.deepEqual(differing, []);
});

test("Docs: every page of docs/ is linked from docs/README.md", () => {
  const index = pages.find(({ path }) => path === "docs/README.md");
  const linked = new Set(index.links.map(({ target }) => target.split("#")[0]));
  const all = pages
    .filter(
      (page) => page.path.startsWith("docs/") && (!isReference(page) || page.path === "docs/api/README.md"),
    )
    .map(({ path }) => path.slice("docs/".length));
  assert.deepEqual(
    all.filter((path) => path !== "README.md" && !linked.has(path)),
    [],
  );
});
