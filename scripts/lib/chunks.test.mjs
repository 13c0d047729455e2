import assert from "node:assert/strict";
import { test } from "node:test";
import { planChunks } from "./chunks.mjs";

/** A chunk as rollup describes it: with a module of the same name, and 100 bytes. */
function chunk(fileName, imports = [], isEntry = false, dynamicImports = []) {
  return {
    ...{ fileName, imports, isEntry, dynamicImports, isDynamicEntry: false },
    ...{ code: " ".repeat(100), modules: { [fileName]: {} } },
  };
}

test("chunks that the same entries load are joined, however they import each other", () => {
  const names = planChunks([
    chunk("one", ["a"], true),
    chunk("two", ["a"], true),
    chunk("a", ["b", "c"]),
    chunk("b", ["c", "d"]),
    chunk("c", ["d"]),
    chunk("d"),
  ]);
  assert.equal(new Set(names.values()).size, 1);
  assert.deepEqual([...names.keys()].sort(), ["a", "b", "c", "d"]);
});

test("a page that has not opened a WebSocket yet loads nothing in vain", () => {
  const names = planChunks([
    chunk("page-connect", ["a"], true),
    chunk("index", ["a", "b"], true),
    chunk("a"),
    chunk("b"),
  ]);
  assert.notEqual(names.get("a"), names.get("b"));
});

test("the worker of a page loads no dynamic imports", () => {
  const names = planChunks([
    chunk("browser-worker.js", ["a"], true),
    chunk("browser.js", ["a", "b"], true),
    chunk("a"),
    chunk("b", [], false, ["c"]),
    chunk("c"),
  ]);
  assert.notEqual(names.get("a"), names.get("b"));
});

test("the code that a page imports dynamically contains none that only its worker needs", () => {
  const names = planChunks([
    chunk("browser-worker.js", ["a", "b"], true),
    chunk("worker.js", ["a", "b"], true),
    chunk("browser.js", [], true, ["b"]),
    chunk("a"),
    { ...chunk("b"), isDynamicEntry: true },
  ]);
  assert.notEqual(names.get("a"), names.get("b"));
});
