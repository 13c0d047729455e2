// `npm start`: installs, builds and runs the demo. Passes arguments on: `npm start -- --help`.

import { build } from "./build.mjs";
import { forgetProxies } from "./lib/proxies.mjs";
import { run } from "./lib/run.mjs";

if (await build()) {
  forgetProxies();
  process.exitCode = await run(process.execPath, ["examples/demo/dist/index.js", ...process.argv.slice(2)]);
} else {
  process.exitCode = 1;
}
