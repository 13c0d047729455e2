// Tests the linter's configuration: a rule that reports nothing would otherwise go unnoticed.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { cruise } from "dependency-cruiser";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import layers from "../.dependency-cruiser.mjs";
import { root } from "./lib/root.mjs";

/** Files of packages/holdfast/src by path, each with its imports, and whether they are allowed. */
const imports = [
  ["shared/a.ts", `export * from "./errors.js";`, true],
  ["shared/a.ts", `export * from "../protocol/protocol.js";`, false],
  ["shared/a.ts", `export * from "node:buffer";`, false],
  ["heartbeat/a.ts", `export * from "../shared/errors.js";`, true],
  ["heartbeat/a.ts", `export * from "../connection/connection.js";`, false],
  ["heartbeat/a.ts", `export * from "node:buffer";`, false],
  ["session/a.ts", `export * from "../shared/errors.js";`, true],
  ["session/a.ts", `export * from "../connection/connection.js";`, false],
  ["session/a.ts", `export * from "node:crypto";`, false],
  ["protocol/a.ts", `export * from "node:zlib";`, true],
  ["protocol/a.ts", `export * from "node:net";`, false],
  ["protocol/a.ts", `export * from "../connection/connection.js";`, false],
  ["connection/a.ts", `import type { A } from "../protocol/protocol.js";\nexport type B = A;`, true],
  ["connection/a.ts", `export type { A } from "../protocol/protocol.js";`, true],
  ["connection/a.ts", `export * from "../protocol/protocol.js";`, false],
  ["connection/a.ts", `export * from "../transport/frames/outbox.js";`, false],
  ["connection/a.ts", `export type A = import("../transport/frames/outbox.js").A;`, false],
  ["connection/a.ts", `export const a = import("../client/connect.js");`, false],
  ["transport/frames/a.ts", `export * from "../../protocol/protocol.js";`, true],
  ["transport/frames/a.ts", `export * from "../node/socket.js";`, false],
  ["transport/frames/a.ts", `export * from "node:net";`, false],
  ["transport/node/a.ts", `export * from "node:net";`, true],
  ["transport/node/a.ts", `export * from "../frames/outbox.js";`, true],
  ["transport/browser/a.ts", `export * from "../frames/outbox.js";`, false],
  ["transport/worker/a.ts", `export * from "../../reconnect/persist.js";`, false],
  ["reconnect/a.ts", `export * from "../connection/connection.js";`, true],
  ["reconnect/a.ts", `export * from "../client/connect.js";`, false],
  ["client/a.ts", `export * from "../reconnect/persist.js";\nexport * from "node:tls";`, true],
  ["client/a.ts", `export * from "../server/serve.js";`, false],
  ["client/a.ts", `export * from "ws";`, false],
  ["client/dial/socks-tunnel.ts", `export const a = import("socks");`, true],
  ["client/dial/socks-tunnel.ts", `import type { A } from "socks";\nexport type B = A;`, true],
  ["client/dial/socks-tunnel.ts", `export * from "socks";`, false],
  ["client/a.ts", `export const a = import("socks");`, false],
  ["server/a.ts", `export * from "../reconnect/persist.js";`, false],
  ["cli/a.ts", `export * from "../index.js";`, true],
  ["cli/a.ts", `export * from "../shared/nearest-name.js";`, true],
  ["cli/a.ts", `export * from "../shared/errors.js";`, false],
  ["cli/a.ts", `export * from "../client/connect.js";`, false],
  ["index.ts", `export * from "./server/serve.js";`, true],
  ["strange/a.ts", `export * from "../shared/errors.js";`, false],
];

/** The modules that the imports above refer to. */
const targets = [
  ...[
    "shared/errors",
    "shared/nearest-name",
    "heartbeat/heartbeat",
    "protocol/protocol",
    "connection/connection",
    "index",
  ],
  ...[
    "transport/frames/outbox",
    "transport/node/socket",
    "reconnect/persist",
    "client/connect",
    "server/serve",
  ],
];

test("Layers: each of these imports is allowed or not, as its row says", async () => {
  const seen = [];
  for (const rows of runs()) {
    // Together the files make circles. Another test checks the rules for those.
    const broken = (await violations(Object.fromEntries(rows.map(({ file, code }) => [file, code])))).filter(
      ({ rule }) => !rule.includes("circle"),
    );
    for (const { index, path, code, file } of rows)
      seen[index] = [path, code, broken.every(({ from }) => from !== file)];
  }
  assert.deepEqual(seen, imports);
});

/** The rows in as few runs as possible. `a.ts` becomes a file of each row; rules name the others. */
function runs() {
  const all = [];
  for (const [index, [path, code]] of imports.entries()) {
    const file = path.replace(/\ba\.ts$/, `a-${index}.ts`);
    const free = all.find((rows) => rows.every((other) => other.file !== file)) ?? [];
    if (free.length === 0) all.push(free);
    free.push({ index, path, code, file });
  }
  return all;
}

test("Layers: circles are found, of files at run time and of folders in any way", async () => {
  const circle = (kind) => ({
    "client/one/a.ts": `${kind} { b } from "../two/b.js";\nexport const a = 1;`,
    "client/two/b.ts": `${kind} { a } from "../one/a.js";\nexport const b = 1;`,
  });
  const runTime = await brokenRules(circle("export"));
  assert.ok(runTime.includes("no circle of files at run time"), runTime.join());
  const types = await brokenRules(circle("export type"));
  assert.deepEqual([...new Set(types)], ["no circle of folders"]);
});

/** The names of the rules that these files violate. */
async function brokenRules(files) {
  return (await violations(files)).map(({ rule }) => rule);
}

/** The rules that these files violate, each with the file below packages/holdfast/src. */
async function violations(files) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-layers-"));
  try {
    const all = {
      ...Object.fromEntries(targets.map((name) => [`${name}.ts`, "export type A = 1;"])),
      ...files,
    };
    for (const [path, code] of Object.entries(all)) {
      const file = join(folder, "packages/holdfast/src", path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${code}\n`);
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const { output } = await cruise(["packages/holdfast/src"], {
      ...layers.options,
      baseDir: folder,
      validate: true,
      ruleSet: { forbidden: layers.forbidden },
    });
    return output.summary.violations.map(({ from, rule }) => ({
      from: from.replace("packages/holdfast/src/", ""),
      rule: rule.name,
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The repository's ESLint rules, except those that need types, so that they work on files that do not exist.
 */
const linter = new ESLint({
  cwd: root,
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { languageOptions: { parserOptions: { projectService: false } } },
  ],
});

/** The ids of the rules that `code` violates as the file `path` of packages/holdfast/src. */
async function broken(path, code) {
  const [{ messages }] = await linter.lintText(code, { filePath: join(root, "packages/holdfast/src", path) });
  return messages.map(({ ruleId, message }) => ruleId ?? message);
}

test("Layers: what browsers run knows no Buffer", async () => {
  for (const expression of [`Buffer.from("a")`, `globalThis.Buffer.alloc(1)`]) {
    const code = `export const a: unknown = ${expression};\n`;
    for (const folder of ["shared", "connection", "heartbeat", "reconnect", "browser", "transport/link"]) {
      assert.deepEqual(
        await broken(`${folder}/a.ts`, code),
        ["no-restricted-globals"],
        `${expression} in ${folder}`,
      );
    }
    for (const folder of ["transport/frames", "protocol"]) {
      assert.deepEqual(await broken(`${folder}/a.ts`, code), [], `${expression} in ${folder}`);
    }
  }
});

test("Ports: no clock, timer or randomness below client/ and server/, however it is reached", async () => {
  const ways = [
    ["Date.now()", "no-restricted-properties"],
    ["Math.random()", "no-restricted-properties"],
    ["performance.now()", "no-restricted-globals"],
    ["process.pid", "no-restricted-globals"],
    ["setTimeout(f, 1)", "no-restricted-globals"],
    ["globalThis.setInterval(f, 1)", "no-restricted-globals"],
    ["setImmediate(f)", "no-restricted-globals"],
    ["queueMicrotask(f)", "no-restricted-globals"],
    ["new Date()", "no-restricted-syntax"],
  ];
  for (const [expression, rule] of ways) {
    const code = `export const g = (f: () => void): unknown => [f, ${expression}];\n`;
    for (const folder of ["shared", "protocol", "heartbeat", "connection", "transport/frames", "reconnect"]) {
      assert.deepEqual(await broken(`${folder}/a.ts`, code), [rule], `${expression} in ${folder}/`);
    }
    assert.deepEqual(await broken("transport/node/a.ts", code), [], `${expression} in transport/node/`);
  }
});
