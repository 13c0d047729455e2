// Tells a script that was started from one that was imported.

import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Whether the module with this `import.meta.url` is what Node was asked to run, through a symbolic link or not. */
export function isMain(url) {
  const [, script] = process.argv;
  return script !== undefined && realpathSync(script) === realpathSync(fileURLToPath(url));
}
