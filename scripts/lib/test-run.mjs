// Runs test files, given as JSON in the last argument: { files, concurrency, timeout, names, journal }. Where
// `node --test` sorts its files, this keeps their order. Started by scripts/test.mjs, because the processes of the
// files inherit the options of Node.js of this one.

import { createWriteStream } from "node:fs";
import { compose } from "node:stream";
import { run } from "node:test";
import { spec as Spec } from "node:test/reporters";
import { sourcePositions } from "./source-positions.mjs";
import collect from "./test-collector.mjs";

const { files, concurrency, timeout, names, journal } = JSON.parse(process.argv.at(-1));
const testNamePatterns = names.length === 0 ? undefined : names;
const events = run({ files, concurrency, timeout, testNamePatterns });
events.on("test:fail", ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
const shown = events.pipe(sourcePositions());
compose(shown, new Spec()).pipe(process.stdout);
compose(shown, collect).pipe(createWriteStream(journal));
