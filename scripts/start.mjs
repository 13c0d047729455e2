// `npm start`: installs, builds and runs the demo. Arguments go to the demo: `npm start -- --help`.
// `npm start -- web` serves the demo in a page instead.

import { build } from "./build.mjs";
import { forgetProxies } from "./lib/proxies.mjs";
import { run } from "./lib/run.mjs";

if (await build()) {
  forgetProxies();
  const isWeb = process.argv[2] === "web";
  const demo = isWeb ? "examples/demo-web/dist/index.js" : "examples/demo/dist/index.js";
  process.exitCode = await run(process.execPath, [demo, ...process.argv.slice(isWeb ? 3 : 2)]);
} else {
  process.exitCode = 1;
}
