// Compiles every workspace. If a source file was removed, its old output is deleted too: otherwise a deleted
// test would still run, and a deleted module would ship.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled } from "./ensure-installed.mjs";
import { filesBelow } from "./lib/files.mjs";
import { isMain } from "./lib/main.mjs";
import { projects } from "./lib/projects.mjs";
import { root } from "./lib/root.mjs";
import { run, tool } from "./lib/run.mjs";

const outputEnding = /(\.d\.ts|\.js)(\.map)?$/;

/** Installs if necessary and compiles. Resolves with whether that succeeded; errors have been printed. */
export async function build() {
  try {
    await ensureInstalled();
  } catch (error) {
    console.error(error.message);
    return false;
  }
  for (const project of projects) removeOrphans(project);
  // The library first: the other workspaces compile against its bundle.
  if (!(await compile("packages/holdfast"))) return false;
  // Their packages are installed by now.
  const { bundlePage } = await import("./bundle-page.mjs");
  await bundlePage();
  const { bundle } = await import("./bundle.mjs");
  await bundle();
  return await compile();
}

async function compile(...projectFolders) {
  const [command, ...args] = tool("typescript", "tsc", "--build", ...projectFolders);
  return (await run(command, args)) === 0;
}

function removeOrphans({ source, output }) {
  for (const path of filesBelow(output)) {
    if (!outputEnding.test(path)) continue;
    const origin = path.replace(output, source).replace(outputEnding, ".ts");
    if (![origin, `${origin}x`].some((each) => existsSync(join(root, each)))) rmSync(join(root, path));
  }
}

if (isMain(import.meta.url)) process.exitCode = (await build()) ? 0 : 1;
