// `npm run autobahn`: installs, builds and runs either end for the Autobahn testsuite
// (checks/autobahn/README.md).

import { build } from "./build.mjs";
import { run } from "./lib/run.mjs";

if (await build()) {
  process.exitCode = await run(process.execPath, ["checks/autobahn/dist/main.js", ...process.argv.slice(2)]);
} else {
  process.exitCode = 1;
}
