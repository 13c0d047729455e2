#!/usr/bin/env node
// The entry point of the command `holdfast`.

import { processConsole } from "./terminal/process-console.js";
import { runProgram } from "./program.js";

const { console, exitCodeOf } = processConsole();
const exitCode = await runProgram(process.argv.slice(2), console);
// Exit even if something is still open, such as the socket of a peer that does not answer our Close; but first let the
// output reach the pipe.
process.stdout.write("", () => setImmediate(() => process.exit(exitCodeOf(exitCode))));
