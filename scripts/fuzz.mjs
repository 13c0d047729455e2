// `npm run fuzz`: installs, builds, and fuzzes each target for its share of the time (checks/fuzz/README.md).
//
//   npm run fuzz                              all targets, 60 seconds together
//   npm run fuzz -- --seconds 600 frames url  these targets, ten minutes together
//   npm run fuzz -- --seed 7                  another run, which can be repeated

import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { run } from "./lib/run.mjs";

process.exitCode = (await build()) ? await fuzz() : 1;

async function fuzz() {
  const { TARGETS } = await import("../checks/fuzz/dist/targets.js");
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: String(Date.now() % 1e9) },
    },
  });
  const seconds = Number(values.seconds);
  const names = positionals.length > 0 ? positionals : Object.keys(TARGETS);
  const stranger = names.find((name) => !(name in TARGETS));
  if (!(seconds > 0) || stranger !== undefined) {
    console.error(
      stranger === undefined
        ? `Expected --seconds to be a positive number, got ${values.seconds}`
        : `Expected targets among ${Object.keys(TARGETS).join(", ")}, got ${stranger}`,
    );
    return 2;
  }
  console.log(`Seed ${values.seed}`);
  let status = 0;
  for (const name of names) {
    const share = String(seconds / names.length);
    const options = ["--enable-source-maps", "--import=./checks/fuzz/dist/engine/register.js"];
    // Other targets still get their turn after a finding.
    const own = await run(process.execPath, [
      ...options,
      "checks/fuzz/dist/run.js",
      name,
      share,
      values.seed,
    ]);
    status ||= own;
  }
  return status;
}
