// Shows the results of tests with the positions of their TypeScript sources. Node.js can translate stack traces itself
// (--enable-source-maps), but then does so for each one that a test reads, which doubles the time of all tests.

import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, resolve } from "node:path";
import { Transform } from "node:stream";
import { fileURLToPath } from "node:url";

/** A position in a stack trace of ES modules. */
const POSITION = /(file:\/\/[^\s)]+\.js):(\d+):(\d+)/g;

/** A stream that translates the events of `run()` of node:test. */
export function sourcePositions() {
  return new Transform({
    objectMode: true,
    transform({ type, data }, _encoding, done) {
      translateStacks(data?.details?.error);
      const position = isOfFile(data) ? null : sourceOf(data.file, data.line, data.column);
      done(null, { type, data: position === null ? data : { ...data, ...position } });
    },
  });
}

/** Translates a stack trace. */
export function stackInSources(stack) {
  return stack.replaceAll(POSITION, (text, url, line, column) => {
    const source = sourceOf(fileURLToPath(url), Number(line), Number(column));
    return source === null ? text : `${source.file}:${source.line}:${source.column}`;
  });
}

function translateStacks(error) {
  for (let each = error; each instanceof Error; each = each.cause)
    if (typeof each.stack === "string") each.stack = stackInSources(each.stack);
}

/** The event names no position, or the test is the file itself, which is known by its path. */
function isOfFile(data) {
  return typeof data?.file !== "string" || data.file.endsWith(data.name);
}

const maps = new Map();

/** The position in the source; null for a file without a source map. Lines and columns count from 1. */
function sourceOf(path, line = 1, column = 1) {
  if (!maps.has(path)) maps.set(path, readMap(path));
  const origin = maps.get(path)?.findOrigin(line, column);
  if (origin?.fileName === undefined) return null;
  return {
    file: resolve(dirname(path), origin.fileName),
    line: origin.lineNumber,
    column: origin.columnNumber,
  };
}

function readMap(path) {
  const mapPath = `${path}.map`;
  return existsSync(mapPath) ? new SourceMap(JSON.parse(readFileSync(mapPath, "utf8"))) : null;
}
