#!/usr/bin/env node
// The command `holdfast`, on the process that it runs in.

import { processConsole } from "./terminal/process-console.js";
import { runProgram } from "./program.js";

const { console, exitCodeOf } = processConsole();
const exitCode = exitCodeOf(await runProgram(process.argv.slice(2), console));
// What is left by now, such as a socket of a peer that does not answer our Close, is nothing to wait for; but what was
// printed has to reach a pipe first.
process.stdout.write("", () => process.exit(exitCode));
