// The linter's own test: a rule that reports nothing would otherwise pass for a clean repository.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import { root } from "./lib/root.mjs";

/** The repository's rules without those that need types, so that files can be made up. */
const linter = new ESLint({
  cwd: root,
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { languageOptions: { parserOptions: { projectService: false } } },
  ],
});

/** The ids of the rules that `code` breaks as the file `path` of packages/holdfast/src. */
async function broken(path, code) {
  const [{ messages }] = await linter.lintText(code, { filePath: join(root, "packages/holdfast/src", path) });
  return messages.map(({ ruleId, message }) => ruleId ?? message);
}

const imports = (target) => `export * from "${target}";\n`;

const allowed = [
  ["protocol/frames.ts", "node:buffer"],
  ["protocol/frames.ts", "./errors.js"],
  ["protocol/deflate/inflater.ts", "../errors.js"],
  ["heartbeat/heartbeat.ts", "./latency.js"],
  ["protocol/frames.ts", "./close-code.js"],
  ["protocol/close-code.ts", "./errors.js"],
  ["connection/connection.ts", "../heartbeat/heartbeat.js"],
  ["connection/connection.ts", "../protocol/close-code.js"],
  ["connection/connection.ts", "../protocol/frame/opcode.js"],
  ["connection/frames/outbox.ts", "../../protocol/frame/frame-encoder.js"],
  ["connection/frames/outbox.ts", "../ports.js"],
  ["node/runtime.ts", "../connection/frames/frame-runtime.js"],
  ["client/connect.ts", "../connection/frames/frame-wire.js"],
  ["node/transport.ts", "node:net"],
  ["node/transport.ts", "../connection/ports.js"],
  ["client/connect.ts", "../node/transport.js"],
  ["server/serve.ts", "../protocol/handshake.js"],
  ["persist/persist.ts", "../protocol/errors.js"],
  ["browser/connector.ts", "../persist/persist.js"],
  ["cli/ping.ts", "../index.js"],
  ["index.ts", "./server/serve.js"],
];

const forbidden = [
  ["protocol/frames.ts", "node:net"],
  ["protocol/frames.ts", "../connection/ports.js"],
  ["protocol/deflate/inflater.ts", "../../connection/ports.js"],
  ["heartbeat/heartbeat.ts", "../protocol/errors.js"],
  ["heartbeat/heartbeat.ts", "node:buffer"],
  ["protocol/close-code.ts", "./frames.js"],
  ["protocol/close-code.ts", "node:buffer"],
  ["connection/connection.ts", "./frames/frame-wire.js"],
  ["connection/connection.ts", "../protocol/protocol.js"],
  ["connection/frames/outbox.ts", "../../node/transport.js"],
  ["connection/frames/outbox.ts", "node:buffer"],
  ["persist/persist.ts", "../connection/frames/frame-wire.js"],
  ["browser/connector.ts", "../connection/frames/frame-wire.js"],
  ["connection/connection.ts", "node:timers"],
  ["connection/connection.ts", "events"],
  ["connection/connection.ts", "../client/connect.js"],
  ["connection/connection.ts", "../node/transport.js"],
  ["connection/connection.ts", "../index.js"],
  ["node/transport.ts", "../client/connect.js"],
  ["client/connect.ts", "../server/serve.js"],
  ["client/connect.ts", "ws"],
  ["client/connect.ts", "../../test/helper.js"],
  ["persist/persist.ts", "../protocol/frames.js"],
  ["persist/persist.ts", "node:events"],
  ["browser/connector.ts", "../node/clock.js"],
  ["cli/ping.ts", "../connection/connection.js"],
  ["newcomer/file.ts", "./other.js"],
];

for (const [path, target] of allowed) {
  test(`Layers: ${path} may import ${target}`, async () => {
    assert.deepEqual(await broken(path, imports(target)), []);
  });
}

for (const [path, target] of forbidden) {
  test(`Layers: ${path} may not import ${target}`, async () => {
    assert.ok((await broken(path, imports(target))).includes("holdfast/layers"));
  });
}

test("Layers: every way to import is seen", async () => {
  const ways = [
    `import { a } from "../client/a.js";\nexport const b = a;`,
    `import type { A } from "../client/a.js";\nexport type B = A;`,
    `export { a } from "../client/a.js";`,
    `export const a = import("../client/a.js");`,
    `export const a = import("../client/" + String(1));`,
    `export type A = import("../client/a.js").A;`,
  ];
  for (const code of ways)
    assert.ok((await broken("connection/a.ts", code)).includes("holdfast/layers"), code);
});

test("Layers: of protocol/, a connection may have any type, and code only where browsers can run it", async () => {
  const types = [
    `import type { A } from "../protocol/frames.js";\nexport type B = A;`,
    `export type { A } from "../protocol/frames.js";`,
  ];
  for (const code of types) assert.deepEqual(await broken("connection/a.ts", code), [], code);
  const code = `import { type A, b } from "../protocol/frames.js";\nexport const c: A = b;`;
  assert.deepEqual(await broken("connection/a.ts", code), ["holdfast/layers"]);
});

test("Layers: what browsers run knows no Buffer", async () => {
  const ways = [`Buffer.from("a")`, `globalThis.Buffer.alloc(1)`];
  for (const expression of ways) {
    const code = `export const a: unknown = ${expression};\n`;
    for (const file of [
      "connection/a.ts",
      "heartbeat/a.ts",
      "persist/a.ts",
      "browser/a.ts",
      "protocol/errors.ts",
    ]) {
      assert.deepEqual(await broken(file, code), ["no-restricted-globals"], `${expression} in ${file}`);
    }
    for (const file of ["connection/frames/a.ts", "protocol/a.ts"]) {
      assert.deepEqual(await broken(file, code), [], `${expression} in ${file}`);
    }
  }
});

test("Layers: an optional peer dependency is loaded lazily, and by its one file only", async () => {
  const ways = [
    [`export const a = import("socks");`, true],
    [`import type { SocksClient } from "socks";\nexport type A = SocksClient;`, true],
    [`import { SocksClient } from "socks";\nexport const a = SocksClient;`, false],
    [`export const a = import("ws");`, false],
  ];
  for (const [code, isAllowed] of ways) {
    const reported = await broken("client/proxy/socks-tunnel.ts", code);
    assert.equal(!reported.includes("holdfast/layers"), isAllowed, code);
    assert.ok((await broken("client/connect.ts", code)).includes("holdfast/layers"), code);
  }
});

test("Ports: no clock, timer or randomness below node/, client/ and server/, however it is reached", async () => {
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
    for (const folder of ["protocol", "heartbeat", "connection", "connection/frames", "persist"]) {
      assert.deepEqual(await broken(`${folder}/a.ts`, code), [rule], `${expression} in ${folder}/`);
    }
    assert.deepEqual(await broken("node/a.ts", code), [], `${expression} in node/`);
  }
});
