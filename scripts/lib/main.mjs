// Distinguishes a script that was started from one that was imported.

import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Whether Node was started with the module of this `import.meta.url`, through a symbolic link or not. */
export function isMain(url) {
  const [, script] = process.argv;
  return script !== undefined && realpathSync(script) === realpathSync(fileURLToPath(url));
}
