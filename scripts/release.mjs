// `npm run release -- v0.2.0`: checks, builds, and publishes the packages. The workflow "Release" runs it for a tag;
// `--dry-run` publishes nothing.

import { build } from "./build.mjs";
import { objectionsHere, published } from "./check-release.mjs";
import { npm, run } from "./lib/run.mjs";
import { stamp } from "./package/publisher.mjs";

const [tag, ...options] = process.argv.slice(2);
process.exitCode = await release();

async function release() {
  const found = await objectionsHere(tag);
  for (const objection of found) console.error(objection);
  if (found.length > 0 || !(await build())) return 1;
  const restore = published.map((path) => stamp(path));
  try {
    for (const path of published) {
      const [command, ...args] = npm("publish", `./${path}`, ...options);
      if ((await run(command, args)) !== 0) return 1;
    }
    return 0;
  } finally {
    for (const each of restore) each();
  }
}
