// Compares docs/why-closed.md with the source: the library writes every message, every cause and every error
// code is listed, and none is invented.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { filesBelow } from "../lib/files.mjs";
import { root } from "../lib/root.mjs";
import { allPages } from "./pages.mjs";

const library = "packages/holdfast";
const { closeMessage } = await load("connection/close-info.js");
const { closeCodeName } = await load("shared/close-code.js");

const page = allPages().find(({ path }) => path === "docs/why-closed.md");
const text = readFileSync(join(root, page.path), "utf8");

test("Docs: D1: every message of why-closed.md is written as the library writes it, and each form is there", () => {
  const messages = page.headings.filter((heading) => /^(no close frame|sent|received) /.test(heading));
  const parsed = messages.map(parseMessage);
  assert.deepEqual(
    messages.map((_, index) => closeMessage(...parsed[index])),
    messages,
  );
  const forms = parsed.map(([received, sent, first]) => `${received !== null} ${sent !== null} ${first}`);
  assert.equal(new Set(forms).size, 5);
});

/** The arguments of `closeMessage` for this message: received, sent, and whether received came first. */
function parseMessage(message) {
  const frame = (verb) => {
    const match = new RegExp(`(?:^|then )${verb} (\\d+) \\([^)]*\\)(?: ([^;]+))?`).exec(message);
    return match && { code: Number(match[1]), reason: match[2] ?? "" };
  };
  const [received, sent] = [frame("received"), frame("sent")];
  return [received, sent, received !== null && sent !== null && message.startsWith("received")];
}

test("Docs: D2: the codes of why-closed.md have the library's names, and none is missing", () => {
  const rows = [...text.matchAll(/^\| (\d{4})(?:–\d{4})? +\| ([^|]+?) +\|/gm)];
  const expected = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015];
  assert.deepEqual(
    rows.map(([, code, name]) => [Number(code), name]),
    [...expected, 3000, 4000].map((code) => [code, closeCodeName(code)]),
  );
});

test("Docs: D7: every cause has a heading in why-closed.md, and every heading is a cause", () => {
  const headings = [...text.slice(text.indexOf("## By cause")).matchAll(/^### `([a-z-]+)`$/gm)];
  const known = [
    ...unionOf("connection/close-info.ts", "CloseCause"),
    ...unionOf("shared/errors.ts", "OpenFailure"),
  ];
  assert.deepEqual(headings.map(([, cause]) => cause).sort(), known.sort());
});

/** The string literals of a union type, as the source lists them. */
function unionOf(path, name) {
  const source = readFileSync(join(root, library, "src", path), "utf8");
  const [, union] = new RegExp(`export type ${name} =([^;]+);`).exec(source);
  return [...union.matchAll(/"([^"]+)"/g)].map(([, literal]) => literal);
}

test("Docs: every error code has a row in why-closed.md, and every row is of a code", () => {
  const codes = (source) =>
    [...source.matchAll(/ERR_HOLDFAST_[A-Z\d]+(?:_[A-Z\d]+)*/g)].map(([code]) => code);
  const sources = filesBelow(`${library}/src`).map((path) => readFileSync(join(root, path), "utf8"));
  const known = [...new Set(sources.flatMap(codes))].sort();
  const rows = [...text.matchAll(/^\| `(ERR_HOLDFAST_[A-Z\d_]+)`/gm)].map(([, code]) => code);
  assert.deepEqual(rows.sort(), known);
});

function load(path) {
  return import(pathToFileURL(join(root, library, "build", path)).href);
}
